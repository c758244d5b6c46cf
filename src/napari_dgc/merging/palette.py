"""One colour per cluster id, the same in every study; shades for every role."""

from __future__ import annotations

from typing import TypeAlias

Color: TypeAlias = tuple[int, int, int]
MAX_CLUSTER = 255

# The first seven are the hues of Okabe and Ito ("Color Universal Design", 2008)
# that are neither black nor grey. Nine more were sought among RGB values (step 15)
# so that the two of the sixteen that are most alike are as far apart as can be:
# 10.9 in CIEDE2000, as seen and as with protanopia, deuteranopia and tritanopia
# (Machado et al. 2009); from black and napari's dark grey they are 14 and more.
# Nobody tells 255 colours apart: the later ones lie far from those before them in
# OKLab, vary in lightness as in hue, and differ well from the six just before,
# which belong to ids that stand close in the table.
# A table, not the search, so that no library's rounding can repaint a study.
_HEX = """
0072b2 e69f00 009e73 cc79a7 56b4e9 d55e00 f0e442 a50000 780078 96c378 a5e1ff
00693c 8778ff 0000e1 874b78 d2f0b4 8700ff 2d00a5 882255 d200b4 ff78e1 d2002d
5ad2d2 f0b4e1 a54bd2 780fb4 87874b 5af078 ff3c96 b44b69 1e3cb4 691e0f a5d24b
f000ff a5c3ff ff4b4b 1e7869 a578d2 69003c 4bc30f 1e4be1 c3e1b4 ff875a 69693c
b43c87 8796c3 4b2d5a 1eb45a 4b0ff0 ffb496 874b00 f01ea5 a596ff 1e3c69 1ec3b4
3c9600 871ed2 870000 ff5a87 f0c369 002d87 0096f0 00873c b42df0 784b69 e196ff
96d2c3 00ff00 0069e1 f00f3c a59600 004b4b e15ae1 ffc3e1 87f096 696996 3c3c00
b41e00 00e196 ff4bc3 4b0096 965a5a 3c9696 4b691e a5003c 5a0078 d278d2 4b4ba5
1ee15a 69a587 ff5a00 b40087 0f5a3c ffa5f0 5a69d2 00f0d2 0000b4 b47869 d21ee1
780f2d 2d694b 1ea5e1 a5d287 6900c3 a56987 ff5aff 004b96 4b782d 0096c3 78c369
a500c3 d22d69 ff9687 3c3c87 876900 7887e1 c3e15a 1ed2f0 e13cc3 e1a5a5 4b2da5
963c4b 0087a5 69a52d 87f0c3 c35aff ff78a5 3c00d2 872d78 006987 5aa5b4 f0c300
8769e1 d2695a ff2df0 5a1e4b 1e0fff 87c3d2 3c8778 875ab4 e1874b a5f069 5a2d3c
ff5ae1 69e1ff 2d964b 005ac3 c33c4b d2b44b 5a3c00 b478f0 5a2d78 0fb4c3 004bff
c34b2d e1b478 0f784b c33cc3 693c69 6987b4 2d2de1 d22d00 a5b43c e18796 87d2ff
963c96 1e5a5a 0078f0 1e1eb4 c3c300 f07869 69c3f0 b400a5 872d1e 4b78a5 5a1ed2
78e178 f087c3 ff1e00 d21e96 96870f 4ba5ff 5a5ab4 78e1a5 ff96d2 4b4b1e c30069
5a965a ff7800 784bd2 69e1d2 c396d2 960f96 693c2d 69873c f0b43c 2d5aa5 00d278
a5a5f0 a500f0 d24b87 785a1e ffd24b 5a1e96 69b469 87b4ff 3c78c3 d25ab4 694b00
ff963c 781e87 3cf0a5 2da53c 0087c3 ff0f78 a5695a f0b4c3 783cb4 d2e100 1e7800
8796f0 f01ed2 b4693c ffa5a5 00ff78 4bc387 2d5a78 8778d2 f00087 961e2d 00f0ff
c3781e 69d25a 2d5a1e 784bff b45aa5 780f4b 87b4e1 ffa569 00f05a 4b875a 691ef0
f03c69 782d4b 78a5e1 f0c396 0fe10f 4b872d b41ed2 c36978 690f5a 0069c3 4b4b78
f096b4 4b5a2d"""


def _table(codes: str) -> tuple[Color, ...]:
    return tuple(
        (code[0], code[1], code[2]) for code in map(bytes.fromhex, codes.split())
    )


_COLORS = _table(_HEX)

# Reds and oranges, greens, greys and dim browns, dim violets. Sought as above, among
# colours of these hues: of the first 5, 5, 4 and 2 any two differ by 7 and more in
# CIEDE2000 for all four kinds of sight, the first of each family by 18 and more; the
# later ones by 4. From the first sixteen cluster colours all differ by 4 and more.
_SHADES = {
    "lesion": _table("c30f00 d28700 ffb44b a53c3c 871e1e d23c1e ff784b ff4b4b f08769"),
    "healthy": _table("4bb45a b4ff78 87d2a5 69874b b4e187 78b487 005a2d a5f0c3 3c872d"),
    "background": _table("787878 78695a a0968c 646464 828c8c aa826e 827864 87694b"),
    "ignore": _table("5a3c64 aaaac8 6e96c8 826e96 6482b4"),
}
_GIVEN = frozenset(_COLORS).union(*_SHADES.values())


def cluster_color(id: int) -> Color:
    """Colour of a cluster.

    Parameters
    ----------
    id : int
        Cluster id, 1..255.

    Returns
    -------
    tuple of int
        Red, green and blue, 0..255: different for every id, never black,
        white or grey, clearly different for neighbouring ids.

    Raises
    ------
    ValueError
        If `id` is out of range; 0 means "no data" and has no colour.
    """
    if not 1 <= id <= MAX_CLUSTER:
        raise ValueError(f"cluster ids go from 1 to {MAX_CLUSTER}, not {id}")
    return _COLORS[id - 1]


def role_shades(role: str) -> tuple[Color, ...]:
    """Colours for groups of a role, in the order they are given in.

    Parameters
    ----------
    role : str
        One of `ROLES`.
    """
    return _SHADES[role]


def is_given(color: Color) -> bool:
    """Whether a colour is one of those that groups get by themselves."""
    return color in _GIVEN
