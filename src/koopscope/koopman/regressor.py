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
    ``q + 1`` states, flattened.

    Parameters
    ----------
    delays, rank, solver
        See :func:`koopscope.koopman.fit`.

    Attributes
    ----------
    spectrum_ : koopscope.koopman.Spectrum
        The fit.
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
            Successor of each state of ``X``, of the same shape; only without delays.

        Returns
        -------
        KoopmanRegressor
            Itself.

        Raises
        ------
        InputError
            If ``y`` has another shape than ``X`` or there are delays too; see also
            :func:`koopscope.koopman.fit`.
        ValueError
            By scikit-learn, if ``X`` or ``y`` is not finite or not two-dimensional, or too short.
        """
        if y is None:
            runs = [validate_data(self, X, ensure_min_samples=2, dtype=np.float64)]
        else:
            if self.delays:
                raise InputError(f"delays: {self.delays} need a trajectory; leave y out")
            X, y = validate_data(  # noqa: N806
                self, X, y, multi_output=True, y_numeric=True, dtype=np.float64
            )
            if y.shape != X.shape:
                raise InputError(f"y: shape is {y.shape}; give the successors of X, {X.shape}")
            runs = list(np.stack([X, y], axis=1))
        self.spectrum_ = fit(runs, self.delays, self.rank, self.solver)
        return self

    def predict(self, X):  # noqa: N803
        """Successors of states (or flattened windows of ``delays + 1`` states).

        Parameters
        ----------
        X
            Shape (n, weight); with delays (n, (delays + 1) · weight), a row one window, its oldest
            state first.

        Returns
        -------
        numpy.ndarray
            Shape (n, weight).

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
