"""How small a p a permutation test of so many seeds can reach: known before any work starts."""

from math import comb

# Up to so many relabellings, all of them are enumerated.
EXACT = 10_000


def smallest_p(first: int, second: int, permutations: int) -> float:
    """Least p-value of a permutation test of two groups of so many seeds.

    Swapping the names of two groups of one size leaves the statistic alone, so the true labelling
    then has a twin.
    """
    ways = comb(first + second, first)
    if ways > EXACT:
        return 1 / (1 + permutations)
    return (2 if first == second else 1) / ways
