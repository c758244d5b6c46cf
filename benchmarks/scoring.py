"""What the benchmarks score maps by; imports nothing heavy.

Maps are arrays of cluster ids (0 = no data); labels are 0 background,
1 healthy, 2 lesion, as in the sample scenes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

LESION = 2
ACTIVE = 1e-3  # share of the pixels above which a cluster counts as active

Ints = NDArray[np.integer]


def lesion_clusters(ids: Ints, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The ids whose union has the best IoU with `wanted`.

    Taken by falling purity: among all unions the best one is always such a
    beginning, for the IoU is a ratio of two sums over the ids.
    """
    values, place = np.unique(ids.ravel(), return_inverse=True)
    total = np.bincount(place)
    hits = np.bincount(place[wanted.ravel()], minlength=len(values))
    order = np.argsort(-hits / total, kind="stable")
    hit, size = hits[order].cumsum(), total[order].cumsum()
    iou = hit / np.maximum(wanted.sum() + size - hit, 1)
    return values[order[: int(iou.argmax()) + 1]].astype(np.int64)


def best_merge(ids: Ints, wanted: NDArray[np.bool_]) -> float:
    """Best IoU that any union of ids has with `wanted`."""
    return overlap(np.isin(ids, lesion_clusters(ids, wanted)), wanted)


def overlap(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    """IoU of two masks; 1 where both are empty."""
    union = int((found | wanted).sum())
    return float((found & wanted).sum() / union) if union else 1.0


def tissue_iou(groups: Ints, tissue: NDArray[np.bool_]) -> float:
    """Mean IoU of tissue and background, each group to its majority."""
    groups, tissue = groups.ravel(), tissue.ravel()
    values, place = np.unique(groups, return_inverse=True)
    hits = np.bincount(place[tissue], minlength=len(values))
    found = (hits * 2 > np.bincount(place))[place]
    return (overlap(found, tissue) + overlap(~found, ~tissue)) / 2


def active_clusters(ids: Ints) -> int:
    """Ids, 0 apart, that hold more than 0.1 % of the pixels with data."""
    counts = np.bincount(ids.ravel())[1:]
    return int((counts > ACTIVE * counts.sum()).sum())


def off_and_on(
    maps: Sequence[Ints], labels: Sequence[Ints], clusters: Ints
) -> tuple[float | None, float | None]:
    """Largest share of `clusters` in a healthy map, smallest in an infected one."""
    off, on = [], []
    for ids, truth in zip(maps, labels, strict=True):
        infected = bool((truth == LESION).any())
        (on if infected else off).append(float(np.isin(ids, clusters).mean()))
    return max(off, default=None), min(on, default=None)


def score_maps(
    seen: Sequence[Ints],
    seen_labels: Sequence[Ints],
    unseen: Sequence[Ints],
    unseen_labels: Sequence[Ints],
    cuts: Mapping[int, Ints],
) -> dict[str, float | None]:
    """Every score of one clustering.

    Parameters
    ----------
    seen, unseen : sequence of ndarray of int, shape (H, W)
        Cluster ids of the scenes it was found on, and of others.
    seen_labels, unseen_labels : sequence of ndarray of int, shape (H, W)
    cuts : mapping of int to ndarray of int, shape (256,)
        By number of groups: the group of each id when the tree is cut so.

    Returns
    -------
    dict
        ``merge_*``: lesion IoU after the best merge, chosen on those very
        scenes; ``carried``: that of the merge chosen on the seen scenes, on
        the unseen ones; ``tissue_*`` (2 groups), ``lesion4_*``, ``lesion6_*``;
        ``active``: on the seen scenes; ``off``, ``on``: see `off_and_on`.
        None where the scenes hold no lesion.
    """
    scores: dict[str, float | None] = {"carried": None}
    lesion = lesion_clusters(_flat(seen), _flat(seen_labels) == LESION)
    for name, maps, labels in (
        ("seen", seen, seen_labels),
        ("unseen", unseen, unseen_labels),
    ):
        ids, truth = _flat(maps), _flat(labels)
        wanted = truth == LESION
        infected = bool(wanted.any())
        if name == "unseen" and infected:
            scores["carried"] = overlap(np.isin(ids, lesion), wanted)
        scores[f"merge_{name}"] = best_merge(ids, wanted) if infected else None
        for groups, score in ((2, "tissue"), (4, "lesion4"), (6, "lesion6")):
            value = None
            if groups in cuts and groups == 2:
                value = tissue_iou(cuts[2][ids], truth > 0)
            elif groups in cuts and infected:
                value = best_merge(cuts[groups][ids], wanted)
            scores[f"{score}_{name}"] = value
    scores["active"] = active_clusters(_flat(seen))
    scores["off"], scores["on"] = off_and_on(
        [*seen, *unseen], [*seen_labels, *unseen_labels], lesion
    )
    return scores


def adjusted_rand(first: Ints, second: Ints) -> float:
    """Adjusted Rand index of two maps, over the pixels with data in both."""
    from sklearn.metrics import adjusted_rand_score

    both = (first > 0) & (second > 0)
    return float(adjusted_rand_score(first[both], second[both]))


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Spearman's correlation; None for fewer than three pairs or constants."""
    ranks = _ranks(pairs)
    return None if ranks is None else float(np.corrcoef(ranks.T)[0, 1])


def pooled_rank_correlation(
    runs: Sequence[Sequence[tuple[float, float]]],
) -> float | None:
    """The correlation of ranks that were taken, and centred, run by run."""
    ranks = [r for r in map(_ranks, runs) if r is not None]
    if not ranks:
        return None
    return float(np.corrcoef(np.concatenate(ranks).T)[0, 1])


def _ranks(pairs: Sequence[tuple[float, float]]) -> NDArray[np.float64] | None:
    """Ranks (N, 2) of each column over N, about their mean."""
    from scipy.stats import rankdata

    values = np.array(pairs, np.float64).reshape(-1, 2)
    if len(values) < 3 or (values.min(0) == values.max(0)).any():
        return None
    ranks = rankdata(values, axis=0)
    return np.asarray((ranks - ranks.mean(0)) / len(ranks))


def _flat(maps: Sequence[Ints]) -> Ints:
    return np.concatenate([np.asarray(m).ravel() for m in maps])
