"""Hierarchical support vector regression as a scikit-learn estimator."""

import warnings
from collections.abc import Iterator
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from koopscope.errors import InputError
from koopscope.hsvr import scales as rules
from koopscope.hsvr.kernel import Layer, LayerFitter, kernel_times
from koopscope.hsvr.names import METHODS
from koopscope.hsvr.points import Grid, even_spacing, extent, find_grid, neighbour_distance
from koopscope.hsvr.supports import MIN_POINTS

SCALES = ("dyadic", "fft", "dmd")
DEPTHS = ("auto", *METHODS, "spacing")
# Of the distance to a neighbour; a finer kernel sees no point but its own.
FINEST = 0.2


class HierarchicalSVR(RegressorMixin, BaseEstimator):
    """Sum of ε-SVRs with Gaussian kernels of falling scale, each fitted to the last one's residual.

    The training error stays about constant while layers are added, until a scale is passed that the
    spectrum of the data gives before any training; then it falls to about ε. Distances count in all
    directions alike: scale the columns of X to comparable units first.

    Parameters
    ----------
    scales
        ``"dyadic"``: from the extent of X down, each ``decay`` times smaller, ``depth`` of them;
        ``"fft"`` or ``"dmd"``: sixths of the wavelengths in the support of y (Algorithms 1 and 2 of
        the paper), for points on an equidistant grid in any order; or an array of scales, in the
        unit of X and in the order of the layers.
    depth
        Number of dyadic layers, or the rule that predicts it: ``"fft"``, ``"dmd"``, ``"tapered"``,
        ``"lomb-scargle"`` (:func:`koopscope.hsvr.critical_scale`), ``"spacing"`` (down to the
        median distance of nearest neighbours), or ``"auto"``: ``"tapered"`` on a grid,
        ``"lomb-scargle"`` for scattered points in one dimension, else ``"spacing"``. Of 25 random
        sums of tones, ``"tapered"`` predicts all within one layer, eight one short; ``errors_``
        tells.
    decay
        Ratio of successive scales, above 1.
    epsilon
        Half width of the tube, as a share of the range of y.
    C
        Bound of the coefficients, as a share of the range of each layer's targets.
    threshold
        Share of the largest component from which on another one counts, for ``"fft"`` and
        ``"dmd"``.
    subset
        Fit each layer to so many points, drawn anew for each, instead of all; residuals are still
        those of all, and time and memory grow like n. The loss, measured with 1,000 of 5,001
        points: none in the root mean square of smooth signals, a third with jumps, twice with 10 %
        noise (also of 20,001; nearly three times of 10,001); but ε no longer bounds the error at
        single points, which may be several times it.
    tol
        Of the solver, as a share of the range of y.
    cache_size
        MiB that a kernel matrix may take; larger ones are computed row by row as needed.
    random_state
        Draws the subsets.

    Attributes
    ----------
    scales_ : numpy.ndarray
        Of the layers; shape (layer,).
    critical_scale_ : float
        The finest of them.
    errors_ : numpy.ndarray
        Largest absolute residual after each layer, in the unit of y; shape (layer,).
    residuals_ : numpy.ndarray
        Shape (layer, sample), in the unit of y.
    support_ : list of numpy.ndarray
        Positions of each layer's support vectors.
    n_support_ : numpy.ndarray
        Their numbers; shape (layer,). A layer with nothing outside the tube has none.
    dual_coef_ : list of numpy.ndarray
        Their coefficients, in the unit of y.
    intercept_ : numpy.ndarray
        Of each layer, in the unit of y; shape (layer,).
    epsilon_ : float
        Half width of the tube in the unit of y.

    References
    ----------
    Mohr, Fonoberova, Drmač, Manojlović, Mezić, Entropy 23(1), 37 (2021), Algorithm 3; Bellocchio,
    Ferrari, Piuri, Borghese, IEEE Trans. Neural Netw. Learn. Syst. 23 (2012).

    Examples
    --------
    >>> import numpy as np
    >>> from koopscope.hsvr import HierarchicalSVR
    >>> x = np.linspace(0, 1, 201)[:, None]
    >>> model = HierarchicalSVR().fit(x, np.sin(50 * x[:, 0]))
    >>> len(model.scales_), bool(model.errors_[-1] <= 2 * model.epsilon_)
    (6, True)
    >>> bool(abs(model.predict([[0.33]])[0] - np.sin(50 * 0.33)) < 0.05)
    True
    """

    def __init__(
        self,
        scales="dyadic",
        depth="auto",
        decay=2.0,
        epsilon=0.01,
        C=5.0,  # noqa: N803
        threshold=0.01,
        subset=None,
        tol=1e-3,
        cache_size=2000,
        random_state=None,
    ) -> None:
        self.scales = scales
        self.depth = depth
        self.decay = decay
        self.epsilon = epsilon
        self.C = C
        self.threshold = threshold
        self.subset = subset
        self.tol = tol
        self.cache_size = cache_size
        self.random_state = random_state

    def fit(self, X, y):  # noqa: N803
        """Fit the layers, coarse to fine.

        Parameters
        ----------
        X
            Shape (sample, coordinate).
        y
            Shape (sample,).

        Returns
        -------
        HierarchicalSVR
            Itself.

        Raises
        ------
        InputError
            If a parameter is out of its range, or the points do not suit the rule.
        ValueError
            By scikit-learn, if X or y is not finite or of another shape, or too short.
        """
        self._check_parameters()
        X, y = validate_data(  # noqa: N806
            self, X, y, y_numeric=True, ensure_min_samples=2, dtype=np.float64
        )
        y = np.asarray(y, dtype=float)
        spread = float(np.ptp(y))
        self.scales_ = self._choose_scales(X, y)
        self.critical_scale_ = float(self.scales_.min())
        self.epsilon_ = self.epsilon * spread
        # In units of the range of y, so that the solver's tolerance means the same for all data,
        # and with X about 0, so that distances keep their digits.
        unit, middle = spread or 1.0, float(y.min() + spread / 2)
        self._centre = X.mean(axis=0)
        self._points = X - self._centre
        layers, residuals = self._fit_layers((y - middle) / unit)
        self.support_ = [layer.support for layer in layers]
        self.n_support_ = np.array([len(layer.support) for layer in layers])
        self.dual_coef_ = [layer.coefficients * unit for layer in layers]
        self.intercept_ = np.array([layer.intercept * unit for layer in layers])
        self.intercept_[0] += middle
        self.residuals_ = residuals * unit
        self.errors_ = np.abs(self.residuals_).max(axis=1)
        return self

    def predict(self, X, layers=None):  # noqa: N803
        """Values at other points.

        Parameters
        ----------
        X
            Shape (sample, coordinate).
        layers
            Use the first so many layers; all by default.

        Returns
        -------
        numpy.ndarray
            Shape (sample,).

        Raises
        ------
        InputError
            If there are not so many layers.
        ValueError
            By scikit-learn, if X is not finite or has another number of coordinates.
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        """
        check_is_fitted(self)
        count = len(self.scales_)
        if layers is None:
            layers = count
        if not isinstance(layers, Integral) or not 1 <= layers <= count:
            raise InputError(f"layers: {layers!r} is not possible here; give 1 to {count}")
        stages = self.staged_predict(X)
        for _ in range(layers - 1):
            next(stages)
        return next(stages)

    def staged_predict(self, X) -> Iterator[np.ndarray]:  # noqa: N803
        """Yield the values at other points with one layer, two layers, …; each shape (sample,).

        Parameters
        ----------
        X
            Shape (sample, coordinate).

        Raises
        ------
        ValueError, sklearn.exceptions.NotFittedError
            As :meth:`predict`, when the first values are asked for.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)  # noqa: N806
        points, total = X - self._centre, np.zeros(len(X))
        parts = zip(self.support_, self.dual_coef_, self.intercept_, self.scales_, strict=True)
        for support, coefficients, intercept, scale in parts:
            values = kernel_times(points, self._points[support], coefficients, scale)
            total = total + values + intercept
            yield total

    def _fit_layers(self, residual: np.ndarray) -> tuple[list[Layer], np.ndarray]:
        """Layers, and what each leaves of the given values, shape (layer, sample)."""
        options = {"epsilon": self.epsilon, "tol": self.tol, "cache_size": self.cache_size}
        random = check_random_state(self.random_state)
        points, layers, residuals = self._points, [], []
        whole = None
        if self.subset is None or self.subset >= len(points):
            whole = LayerFitter(points, **options)
        for scale in self.scales_:
            bound = self.C * np.ptp(residual)
            if whole is not None:
                layer = whole.fit(residual, scale, bound)
            else:
                some = np.sort(random.permutation(len(points))[: self.subset])
                part = LayerFitter(points[some], **options).fit(residual[some], scale, bound)
                support = some[part.support]
                fitted = kernel_times(points, points[support], part.coefficients, scale)
                layer = Layer(support, part.coefficients, part.intercept, fitted)
            residual = residual - layer.fitted - layer.intercept
            layers.append(layer)
            residuals.append(residual)
        return layers, np.array(residuals)

    def _choose_scales(self, X: np.ndarray, y: np.ndarray) -> np.ndarray:  # noqa: N803
        by_name = isinstance(self.scales, str)
        length = extent(X)
        chosen = np.array([length or 1.0]) if by_name else rules.check_scales(self.scales)
        if rules.is_constant(y):
            warnings.warn("y: constant, so it has no scale; one layer is enough", stacklevel=3)
            return chosen[:1]
        if by_name and length == 0:
            return chosen
        if by_name and self.scales == "dyadic":
            chosen = rules.dyadic_scales(length, self._choose_depth(X, y, length), self.decay)
        elif by_name:
            grid = _grid(X, "scales", self.scales)
            values = y[grid.order].reshape(grid.shape)
            found = rules.frequencies(values, grid.spacing, self.scales, threshold=self.threshold)
            return rules.scales_of(found, self.decay) if len(found) else chosen
        if not by_name or isinstance(self.depth, Integral):
            spacing = neighbour_distance(X)
            if chosen.min() < FINEST * spacing:
                warnings.warn(
                    f"scales: {chosen.min():.3g} is too fine for points {spacing:.3g} apart; "
                    "such a layer can only learn them by heart",
                    stacklevel=3,
                )
        return chosen

    def _choose_depth(self, X: np.ndarray, y: np.ndarray, length: float) -> int:  # noqa: N803
        rule = self.depth
        if isinstance(rule, Integral):
            return int(rule)
        if rule == "auto":
            grid, enough = find_grid(X), MIN_POINTS
            if grid is not None and min(grid.shape) >= enough:
                rule = "tapered"
            else:
                rule = "lomb-scargle" if X.shape[1] == 1 and len(X) >= enough else "spacing"
        # What a layer reaches is bounded by C times the density of the points that it sees.
        seen = min(self.subset or len(X), len(X)) / len(X)
        options = {"epsilon": self.epsilon, "C": self.C * seen, "threshold": self.threshold}
        if rule == "spacing":
            critical = neighbour_distance(X)
        elif rule == "lomb-scargle":
            if X.shape[1] != 1:
                raise InputError(
                    f"depth: 'lomb-scargle' needs one coordinate, X has {X.shape[1]}; give "
                    "'spacing', or a number of layers"
                )
            critical = rules.critical_scale(y, method=rule, x=X[:, 0], **options)
        else:
            grid = _grid(X, "depth", rule)
            values = y[grid.order].reshape(grid.shape)
            critical = rules.critical_scale(values, grid.spacing, rule, **options)
        return rules.layers_to(critical, length, self.decay)

    def _check_parameters(self) -> None:
        if isinstance(self.scales, str) and self.scales not in SCALES:
            raise InputError(
                f"scales: unknown {self.scales!r}; give one of {', '.join(SCALES)}, or an array"
            )
        if isinstance(self.depth, str):
            if self.depth not in DEPTHS:
                raise InputError(
                    f"depth: unknown {self.depth!r}; give one of {', '.join(DEPTHS)}, or a number"
                )
        elif not isinstance(self.depth, Integral) or int(self.depth) < 1:
            raise InputError(f"depth: {self.depth!r} is not a whole number of at least 1")
        rules.check_decay(self.decay)
        for name in ("epsilon", "threshold"):
            value = getattr(self, name)
            if not (isinstance(value, Real) and 0 < float(value) < 1):
                raise InputError(f"{name}: {value!r} is not between 0 and 1")
        for name in ("C", "tol", "cache_size"):
            value = getattr(self, name)
            if not (isinstance(value, Real) and 0 < float(value) < np.inf):
                raise InputError(f"{name}: {value!r} is not a finite number above 0")
        several = isinstance(self.subset, Integral) and int(self.subset) > 1
        if self.subset is not None and not several:
            raise InputError(f"subset: {self.subset!r} is not a whole number of at least 2")


def _grid(points: np.ndarray, name: str, rule: str) -> Grid:
    """Return the grid that the points form, or say why a rule cannot do without."""
    grid = find_grid(points)
    if grid is None:
        if points.shape[1] == 1:
            even_spacing(np.sort(points[:, 0]))  # says what is wrong
        raise InputError(
            f"{name}: {rule!r} needs points on an equidistant grid; give scales='dyadic' with "
            "depth='spacing', or an array of scales"
        )
    return grid
