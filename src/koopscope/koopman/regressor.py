"""A scikit-learn estimator over :func:`koopscope.koopman.fit`."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from koopscope.errors import InputError
from koopscope.koopman.fitting import fit


class KoopmanRegressor(RegressorMixin, BaseEstimator):
    """Predict the next state of a dynamical system from the present one.

    Without delays, ``X`` holds states and ``predict`` gives their successors; with ``delays=q``,
    ``X`` still holds the successive states of one trajectory, and ``predict`` takes windows of
    ``q + 1`` states, flattened. Other numbers than states may be predicted too, from as many
    directions of the states as the rank says.

    Parameters
    ----------
    delays, rank, solver
        See :func:`koopscope.koopman.fit`.

    Attributes
    ----------
    spectrum_ : koopscope.koopman.Spectrum
        The fit; not there if other numbers than successors are predicted.
    coef_ : numpy.ndarray
        Of other numbers than successors: each as a sum over the state; shape (weight, number).
    n_features_in_ : int
        Weights of a state.

    Examples
    --------
    A spiral that turns by 0.3 and shrinks to 0.9 at each step:

    >>> import numpy as np
    >>> from koopscope.koopman import KoopmanRegressor
    >>> turned = 0.9 ** np.arange(30) * np.exp(0.3j * np.arange(30))
    >>> states = np.column_stack([turned.real, turned.imag])
    >>> model = KoopmanRegressor().fit(states)
    >>> np.angle(model.spectrum_.eigenvalues).round(6).tolist()
    [0.3, -0.3]
    >>> bool(np.allclose(model.predict(states[:-1]), states[1:]))
    True

    Of one coordinate alone, it takes two successive values to give the next:

    >>> model = KoopmanRegressor(delays=1).fit(states[:, :1])
    >>> bool(np.allclose(model.predict([states[:2, 0]]), states[2, 0]))
    True
    """

    def __init__(self, delays: int = 0, rank: int | None = None, solver: str = "auto") -> None:
        self.delays = delays
        self.rank = rank
        self.solver = solver

    def fit(self, X, y=None):  # noqa: N803
        """Fit one trajectory ``X`` (step, weight); or give the successors of its states as ``y``.

        Parameters
        ----------
        X
            Successive states, shape (step, weight), at least 2; with ``y`` states in any order.
        y
            Successor of each state of ``X``, of the same shape; or other numbers that are to be
            told from the state, shape (n,) or (n, number). Only without delays.

        Returns
        -------
        KoopmanRegressor
            Itself.

        Raises
        ------
        InputError
            If there are delays too, or if the columns of ``X`` and ``y`` have the same names in
            another order; see also :func:`koopscope.koopman.fit`.
        ValueError
            By scikit-learn, if ``X`` or ``y`` is not finite or not two-dimensional, or too short.
        """
        if y is None:
            runs = [validate_data(self, X, ensure_min_samples=2, dtype=np.float64)]
        else:
            if self.delays:
                raise InputError(f"delays: {self.delays} need a trajectory; leave y out")
            names = [list(getattr(table, "columns", ())) for table in (X, y)]
            if names[0] != names[1] and sorted(map(str, names[0])) == sorted(map(str, names[1])):
                raise InputError("y: its columns are those of X in another order; give them in X's")
            X, y = validate_data(  # noqa: N806
                self,
                X,
                y,
                multi_output=True,
                y_numeric=True,
                dtype=np.float64,
                ensure_min_samples=2,
            )
            if y.shape != X.shape:
                return self._fit_numbers(X, y)
            runs = list(np.stack([X, y], axis=1))
        self.__dict__.pop("coef_", None)
        self.spectrum_ = fit(runs, self.delays, self.rank, self.solver)
        return self

    def _fit_numbers(self, states: np.ndarray, numbers: np.ndarray) -> "KoopmanRegressor":
        """Least squares in the first directions of the states, as many as the rank says."""
        left, values, right = np.linalg.svd(states, full_matrices=False)
        seen = int(np.sum(values > values[0] * max(states.shape) * np.finfo(float).eps))
        kept = seen if self.rank is None else self.rank
        if not 0 <= kept <= seen:
            raise InputError(f"rank: {kept} is not possible here; give 1 to {seen}")
        self.__dict__.pop("spectrum_", None)
        inner = left[:, :kept].T @ numbers
        self.coef_ = right[:kept].T @ (inner.T / values[:kept]).T
        return self

    def __sklearn_tags__(self):
        """A trajectory is enough, so that no target is required; states may be many."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X):  # noqa: N803
        """Successors of states (or flattened windows of ``delays + 1`` states), or other numbers.

        Parameters
        ----------
        X
            Shape (n, weight); with delays (n, (delays + 1) · weight), a row one window, its oldest
            state first.

        Returns
        -------
        numpy.ndarray
            Shape (n, weight), or that of the numbers of the fit.

        Raises
        ------
        InputError
            If ``X`` has another shape.
        ValueError
            By scikit-learn, if ``X`` is not finite, or its columns are not those of the fit.
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        """
        check_is_fitted(self)
        if hasattr(self, "coef_"):
            return validate_data(self, X, reset=False, dtype=np.float64) @ self.coef_
        if self.delays:
            X = check_array(X, dtype=np.float64)  # noqa: N806
        else:
            # Also the names of columns, and their order.
            X = validate_data(self, X, reset=False, dtype=np.float64)  # noqa: N806
        width = (self.delays + 1) * self.n_features_in_
        if X.ndim != 2 or X.shape[1] != width:
            raise InputError(f"X: shape is {X.shape}; give (n, {width})")
        modes = self.spectrum_.modes().values.reshape(self.spectrum_.rank, width).T
        start = np.linalg.lstsq(modes, X.T.astype(complex), rcond=None)[0]
        after = modes @ (self.spectrum_.eigenvalues[:, None] * start)
        return after.real[-self.n_features_in_ :].T
