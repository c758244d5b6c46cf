"""A methods paragraph of a study's own facts, and what to cite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from napari_dgc.reports.doubt import DOUBTFUL_SHARE
from napari_dgc.reports.facts import CubeFacts, ModelFacts, StudyFacts

CITATION = (
    "Chang, Y.-T., Chen, P.-W., & Chen, S.-F. (2025). Deep Global Clustering for "
    "Hyperspectral Image Segmentation: Concepts, Applications, and Open Challenges. "
    "arXiv:2512.24172."
)
LINK = "https://arxiv.org/abs/2512.24172"
BIBTEX = """@misc{chang2025deep,
  title         = {Deep Global Clustering for Hyperspectral Image Segmentation:
                   Concepts, Applications, and Open Challenges},
  author        = {Chang, Yu-Tang and Chen, Pin-Wei and Chen, Shih-Fang},
  year          = {2025},
  eprint        = {2512.24172},
  archivePrefix = {arXiv},
  primaryClass  = {cs.CV},
  url           = {https://arxiv.org/abs/2512.24172}
}"""

_MOST_NAMED = 12


def methods_paragraph(facts: StudyFacts, indices: Sequence[str] = ()) -> str:
    """Write it: one paragraph to paste, of nothing but what the study holds.

    Parameters
    ----------
    facts : StudyFacts
    indices : sequence of str
        Names of the indices in the report.
    """
    parts = [
        _cubes(facts),
        *_calibration(facts.cubes),
        _clustering(facts),
        _embedding(facts.model),
        _training(facts.model),
        _grouping(facts),
        *_roles(facts),
        _severity(facts),
    ]
    if indices:
        parts.append(
            f"Vegetation indices ({', '.join(indices)}) were computed of each "
            "group's mean spectrum."
        )
    return " ".join(parts)


def _cubes(facts: StudyFacts) -> str:
    model, sizes = facts.model, {cube.shape[1:] for cube in facts.cubes}
    words = sorted(f"{H} × {W}" for H, W in sizes)
    size = f"{words[0]} pixels" if len(words) == 1 else f"{len(words)} sizes"
    bands = f"{model.bands} bands"
    if model.range_nm is not None:
        bands += " from {:.0f} to {:.0f} nm".format(*model.range_nm)
    if model.good_bands < model.bands:
        bands += f", {model.good_bands} of which were used"
    who = _counted(len(facts.cubes), "hyperspectral cube")
    was = "was" if len(facts.cubes) == 1 else "were"
    return f"{who} ({size}; {bands}) {was} analysed."


def _calibration(cubes: Sequence[CubeFacts]) -> Iterable[str]:
    kinds = list(dict.fromkeys(cube.calibration for cube in cubes))
    if not any(kinds):
        yield "Values were taken as they are in the files."
    elif len(kinds) == 1:
        yield f"Raw counts were converted to reflectance with {kinds[0]}."
    else:
        done = sum(bool(cube.calibration) for cube in cubes)
        yield (
            f"Raw counts were converted to reflectance with white and dark references "
            f"in {done} of the {len(cubes)} cubes."
        )


def _clustering(facts: StudyFacts) -> str:
    model, packages = facts.model, dict(facts.model.packages)
    version = packages.pop("napari-dgc", "")
    others = ", ".join(f"{name} {packages[name]}" for name in sorted(packages))
    return (
        "The cubes were segmented without labels by Deep Global Clustering (DGC; Chang "
        f"et al., 2025) as implemented in napari-dgc {version} ({others}): one model "
        f"with K = {model.k} clusters, made of {_counted(model.cubes, 'cube')} (random "
        f"seed {model.seed}), maps every cube, so that a cluster means the same in all."
    )


def _embedding(model: ModelFacts) -> str:
    noise = (
        "estimated by regressing it on all others"
        if model.noise_method == "regression"
        else "estimated from spatial differences"
    )
    text = (
        f"Spectra were projected onto {model.components} noise-adjusted principal "
        f"components (the noise of each band {noise}; each component scaled by "
        "w^(−1/4), w being its signal-to-noise ratio)"
    )
    if model.iterations:
        text += (
            f", smoothed by {_counted(model.iterations, 'iteration')} of mean-shift in "
            f"a window of {model.window} × {model.window} pixels"
        )
    return text + ", and assigned to the nearest centroid on the unit sphere."


def _training(model: ModelFacts) -> str:
    if not model.steps_done:
        return (
            "Centroids were found by weighted k-means of sampled pixels (the first map"
            "; no network was trained)."
        )
    return (
        "Centroids, found by weighted k-means of sampled pixels, and a convolutional "
        f"encoder were refined by self-supervised training on pairs of overlapping "
        f"crops of {model.crop} × {model.crop} pixels ({model.batch} pairs a step); "
        f"the model of step {model.steps_done} was kept{_score(model)}."
    )


def _score(model: ModelFacts) -> str:
    if model.score is None or model.first_score is None:
        return ""
    return (
        f" for its score without labels ({model.score:.2f} nats; "
        f"{model.first_score:.2f} at the start)"
    )


def _grouping(facts: StudyFacts) -> str:
    done = []
    for kind, word in (
        ("cut", "cut of the tree"),
        ("merge", "merge by hand"),
        ("split", "split of a cluster"),
        ("adopt", "recipe taken over"),
    ):
        if number := facts.count(kind):
            done.append(_counted(number, word))
    how = f" ({', '.join(done)})" if done else ""
    return (
        "The clusters were arranged in a tree (average linkage of the spectral angle "
        f"between their mean spectra) and brought to {len(facts.groups)} groups{how}."
    )


def _roles(facts: StudyFacts) -> Iterable[str]:
    said = []
    for role in ("lesion", "healthy", "background", "ignore"):
        names = facts.named(role)
        if not names:
            continue
        text = ", ".join(f"“{name}”" for name in names)
        if len(names) > _MOST_NAMED:
            text = f"{len(names)} groups"
        said.append(f"{text} as {'ignored' if role == 'ignore' else role}")
    if said:
        yield f"Groups were given roles: {'; '.join(said)}."


def _severity(facts: StudyFacts) -> str:
    doubt = f"{100 * DOUBTFUL_SHARE:g} %"
    parts = [
        "Severity is the share of lesion among lesion and healthy pixels, per cube and "
        "per leaf (a connected piece of tissue).",
        *facts.rules,
        "Bounds of severity take pixels at the edge of a lesion as wrong, one way or "
        f"the other, where they are among the {doubt} of their cluster that were "
        "assigned with the least confidence.",
    ]
    return " ".join(parts)


def _counted(number: int, word: str) -> str:
    """Count things: "1 cube", "3 merges by hand"."""
    if number == 1:
        return f"1 {word}"
    first, blank, rest = word.partition(" ")
    if word.startswith("hyperspectral"):
        return f"{number} {word}s"
    return f"{number} {first}s{blank}{rest}"
