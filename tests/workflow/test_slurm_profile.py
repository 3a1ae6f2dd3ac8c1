"""The profile for SLURM, as far as it can be tried without a cluster."""

import re

import yaml


def planned_groups(checkout):
    """Messages of each group job that a dry run lists, by the group's name."""
    text = checkout.run("-n", "--profile", "profiles/slurm").stdout
    groups = re.findall(r"Group job (\w+).*?\n\n((?:    .*\n)+)", text)
    return [(name, re.findall(r"Job \d+: (.*)", jobs)) for name, jobs in groups]


def test_small_jobs_share_a_job_of_slurm(fresh):
    groups = planned_groups(fresh)
    assert sorted((name, len(jobs)) for name, jobs in groups) == [
        ("figures", 1),
        ("figures", 10),
        ("figures", 10),
        ("fits", 8),
        ("fits", 10),
        ("optimizers", 3),
        ("studies", 6),
    ]
    fits = [job for name, jobs in groups if name == "fits" for job in jobs]
    assert all(job.startswith("Fitting Koopman spectra of ") for job in fits)


def test_no_group_is_larger_than_the_profile_says(another):
    profile = another.root / "profiles/slurm/config.yaml"
    profile.write_text(profile.read_text().replace("  fits: 10\n", "  fits: 2\n"))
    sizes = [len(jobs) for name, jobs in planned_groups(another) if name == "fits"]
    assert sizes == 9 * [2]


def test_the_profile_names_rules_and_groups_that_exist(fresh):
    profile = yaml.safe_load((fresh.root / "profiles/slurm/config.yaml").read_text())
    files = (fresh.root / "workflow/rules").glob("*.smk")
    named = re.compile(r"^(?:rule|use rule \w+ as) (\w+)", re.M)
    rules = {name for file in files for name in named.findall(file.read_text())}
    assert set(profile["groups"]) <= rules
    assert set(profile["set-resources"]) <= rules
    assert set(profile["group-components"]) == set(profile["groups"].values())
