"""What setups need not record, where trajectories are let go once fits have read them."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from koopscope.config.setups import Setup, Trained
from koopscope.experiments.equivalence.study import Study, Variant


def sparing(studies: Mapping[str, Study]) -> dict[str, Study]:
    """Studies, by name, of setups that record beside the weights only what a fit of any reads."""
    every = [variant for study in studies.values() for variant in study.every_variant]
    read = {(v.setup.id, v.fit.observable.partition(":")[0]) for v in every}

    def spared(variants: Iterable[Variant]) -> tuple[Variant, ...]:
        return tuple(replace(v, setup=_spared(v.setup, read)) for v in variants)

    return {
        name: replace(
            study,
            variants=spared(study.variants),
            control_lines=spared(study.control_lines),
            alternates=tuple(
                replace(a, variants=spared(a.variants), control_lines=spared(a.control_lines))
                for a in study.alternates
            ),
        )
        for name, study in studies.items()
    }


def _spared(setup: Setup, read: Container[tuple[str, str]]) -> Setup:
    if not isinstance(setup, Trained):
        return setup
    unread = [name for name in setup.beside if (setup.id, name) not in read]
    return replace(setup, **dict.fromkeys(unread, 0))
