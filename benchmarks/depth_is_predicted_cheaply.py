"""Claim: the depth of a hierarchical SVR costs next to nothing, and it fits where a search is slow.

Held-out points lie amid the training points; their values are without noise. See README.md.
"""

import warnings
from functools import partial
from itertools import product

import numpy as np
from measuring import alternate, arguments, judged, seconds
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from koopscope.data.signals import signal
from koopscope.experiments.hsvr.transitions import coordinates, split
from koopscope.hsvr.model import HierarchicalSVR
from koopscope.hsvr.scales import dyadic_scales, predict_layers

NOISE = 0.1
SEED = 1
ROUNDS = 3
# Points that train: half of the grid's. The search fits 5 folds × scales × 3 bounds.
PREDICTED = (201, 501, 1001, 2001, 5001, 10_001)
RULES = ("fft", "dmd", "tapered", "lomb-scargle")
LAYERS = 10
MINUTES = 3
SEARCHED = 1001
SIGNALS = ("tones", "chirp", "van-der-pol")
GROWTH = (1251, 2501, 5001, 10_001, 20_001)
SUBSET = 1000
COST_TARGET = 0.01
SPEED_TARGET = 5
ERROR_TARGET = 1.0


def sampled(name: str, points: int, noise: float = NOISE) -> tuple[np.ndarray, ...]:
    """Return so many training points, their values, held-out points, and the truth there."""
    train, held_out = split(signal(name, 2 * points - 1, noise, SEED))
    values = train["value"].values.ravel(), held_out["clean"].values.ravel()
    unit = np.ptp(values[0])
    return coordinates(train), values[0] / unit, coordinates(held_out), values[1] / unit


def rms(model: object, x: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square error, as a share of the range of the training values."""
    return float(np.sqrt(np.mean((model.predict(x) - truth) ** 2)))


def prediction(sizes: tuple[int, ...], quick: bool) -> None:
    """Time of each rule against that of the fit with the depth that "tapered" predicts."""
    print(f"\nPrediction against one fit: 'tones' with {100 * NOISE:g} % noise")
    print(f"  {'points':>8}{'fit, s':>10}" + "".join(f"{rule + ', ms':>18}" for rule in RULES))
    shares: dict[str, dict[int, float]] = {rule: {} for rule in RULES}
    for points in sizes:
        x, y, *_ = sampled("tones", points)
        dx = float(np.ptp(x)) / (len(x) - 1)
        tasks = {rule: partial(predict_layers, y, dx, rule) for rule in RULES[:3]}
        tasks["lomb-scargle"] = partial(predict_layers, y, method="lomb-scargle", x=x[:, 0])
        tasks["fit"] = partial(HierarchicalSVR(depth="tapered").fit, x, y)
        timed = {name: partial(seconds, task) for name, task in tasks.items()}
        times = alternate(timed, dict.fromkeys(RULES, 5), 1 if quick else ROUNDS)
        row = ""
        for rule in RULES:
            shares[rule][points] = times[rule] / times["fit"]
            row += f"{1e3 * times[rule]:>9.2f} ({100 * shares[rule][points]:5.2f} %)"
        print(f"  {points:>8}{times['fit']:>10.3f}{row}")
    for rule, found in shares.items():
        line = f"prediction ÷ fit of {sizes[-1]} points, {rule}"
        print(judged(line, found[sizes[-1]], COST_TARGET, quick, at_least=False))
        met = [n for n in sizes if all(found[m] <= COST_TARGET for m in sizes if m >= n)]
        print(f"    met from {met[0]} points on" if met else "    met nowhere")


def depth(points: int, quick: bool) -> None:
    """Time of a fit of so many points with ten layers."""
    x, y, *_ = sampled("tones", points)
    spent = seconds(partial(HierarchicalSVR(depth=LAYERS).fit, x, y))
    print(f"\nOne fit: 'tones' with {100 * NOISE:g} % noise, {points} points, {LAYERS} layers")
    print(judged("minutes", spent / 60, MINUTES, quick, at_least=False))


def search(points: int, quick: bool) -> None:
    """Time and error against one scale, found by cross-validation."""
    for name, noise in product(SIGNALS, (0, NOISE)):
        x, y, unseen, truth = sampled(name, points, noise)
        ours = HierarchicalSVR(depth="tapered")
        scales = dyadic_scales(float(np.ptp(x)), int(np.log2(points)))
        grid = {"gamma": list(0.5 / scales**2), "C": [1, 10, 100]}
        folds = KFold(5, shuffle=True, random_state=SEED)
        # The same tube for both: the values have range 1.
        theirs = GridSearchCV(SVR(epsilon=0.01), grid, cv=folds, scoring="neg_mean_squared_error")
        models = {"hierarchical": ours, "search": theirs}
        tasks = {key: partial(seconds, partial(model.fit, x, y)) for key, model in models.items()}
        times = alternate(tasks, {"hierarchical": 1 if quick else ROUNDS}, 1)
        errors = {key: rms(model, unseen, truth) for key, model in models.items()}
        print(f"\nAgainst one searched scale: '{name}', {points} points, {100 * noise:g} % noise")
        for key in models:
            print(f"  {key:<14}{times[key]:>10.3f} s   held-out error {errors[key]:.4f}")
        ratio = times["search"] / times["hierarchical"]
        print(judged("time, search / ours", ratio, SPEED_TARGET, quick))
        ratio = errors["hierarchical"] / errors["search"]
        print(judged("held-out error, ours / search", ratio, ERROR_TARGET, quick, at_least=False))


def growth(sizes: tuple[int, ...]) -> None:
    """Time and error by number of points, of all points and of a subset for each layer."""
    print(f"\nGrowth: 'tones' with {100 * NOISE:g} % noise; subset: {SUBSET} points a layer")
    print(f"  {'points':>8}{'all, s':>10}{'error':>10}{'subset, s':>12}{'error':>10}")
    spent = []
    for points in sizes:
        x, y, unseen, truth = sampled("tones", points)
        row = []
        for subset in (None, SUBSET):
            model = HierarchicalSVR(depth="tapered", subset=subset, random_state=SEED)
            row += [seconds(partial(model.fit, x, y)), rms(model, unseen, truth)]
        spent.append((row[0], row[2]))
        print(f"  {points:>8}{row[0]:>10.2f}{row[1]:>10.4f}{row[2]:>12.2f}{row[3]:>10.4f}")
    # Times of the largest half: the smallest are those of starting up.
    half = len(sizes) // 2
    for column, name in enumerate(("all points", "a subset")):
        logs = np.log([sizes[half:], [row[column] for row in spent[half:]]])
        print(f"  {name}: time grows like n to the {np.polyfit(*logs, 1)[0]:.2f}")


def main() -> None:
    """Measure all four."""
    quick = arguments(__doc__).quick
    print("One thread for everyone.")
    warnings.filterwarnings("ignore", module="koopscope|sklearn")
    with threadpool_limits(1):
        prediction(PREDICTED[:2] if quick else PREDICTED, quick)
        depth(1001 if quick else PREDICTED[-1], quick)
        search(201 if quick else SEARCHED, quick)
        growth((251, 501, 1001) if quick else GROWTH)


if __name__ == "__main__":
    main()
