"""How methods and kinds of cases look in all figures of the benchmark."""

from koopscope.experiments.known_answers.deciding import CANDIDATES, PLAIN, SPECTRA
from koopscope.report.style import Look

LOOKS = {
    CANDIDATES: Look("#0173b2", "o", "-"),
    SPECTRA: Look("#029e73", "s", "-"),
    PLAIN: Look("#d55e00", "D", "-"),
}
# Length of a name in several lines, in letters.
LINE = 27
