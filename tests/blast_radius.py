"""Print which jobs of the workflow a change of each file of the library reruns."""

from pathlib import Path

from fixtures.places import ROOT
from fixtures.rules import SCRIPTS, jobs


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def main() -> None:
    reached = jobs()
    print("| job | files | lines of the library |\n|---|---|---|")
    for job, files in reached.items():
        ours = [file for file in files if not file.is_relative_to(SCRIPTS)]
        print(f"| {job} | {len(ours)} | {sum(map(lines, ours))} |")
    print("\n| file | jobs | which its change reruns |\n|---|---|---|")
    for file in sorted((ROOT / "src/koopscope").rglob("*.py")):
        if not lines(file):
            continue
        of_file = [job for job, files in reached.items() if file in files]
        which = "all" if len(of_file) == len(reached) else ", ".join(of_file) or "none"
        print(f"| {file.relative_to(ROOT / 'src/koopscope')} | {len(of_file)} | {which} |")


if __name__ == "__main__":
    main()
