from __future__ import annotations

import torch

from napari_dgc.clustering.meanshift import (
    _Iteration,
    _squared_distances,
    mean_shift,
)


def brute_force(
    y: torch.Tensor, valid: torch.Tensor, h2: float, contrast: float = 0.0
) -> torch.Tensor:
    """One iteration over a 5 x 5 window, pixel by pixel. y (D, H, W)."""
    H, W = valid.shape
    out = y.clone()
    for i in range(H):
        for j in range(W):
            if not valid[i, j]:
                continue
            window = slice(max(0, i - 2), i + 3), slice(max(0, j - 2), j + 3)
            near = y[:, *window][:, valid[window]]  # (D, n), itself among them
            d2 = (near - y[:, i, j, None]).square().sum(0)
            weights = torch.exp(-d2 / (2 * (h2 + contrast * d2.mean())))
            out[:, i, j] = (near * weights).sum(1) / weights.sum()
    return out


def random_image(
    *shape: int, seed: int = 0, dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, torch.Tensor]:
    """Components (B, D, H, W) and valid pixels, four of five."""
    g = torch.Generator().manual_seed(seed)
    y = torch.randn(*shape, generator=g, dtype=dtype)
    return y, torch.rand(shape[0], *shape[2:], generator=g) > 0.2


def test_equals_the_definition() -> None:
    y, valid = random_image(1, 3, 9, 7)
    expected = brute_force(brute_force(y[0], valid[0], 0.7), valid[0], 0.7)
    got = mean_shift(y, valid, 0.7, iterations=2, radius=2)[0]
    torch.testing.assert_close(got[:, valid[0]], expected[:, valid[0]])


def test_each_iteration_has_its_own_bandwidth() -> None:
    y, valid = random_image(1, 3, 9, 7)
    ratio = torch.tensor([0.5, 3.0], dtype=y.dtype)
    expected = brute_force(brute_force(y[0], valid[0], 0.35), valid[0], 2.1)
    got = mean_shift(y, valid, 0.7, 2, 2, log_ratio=ratio.log())[0]
    torch.testing.assert_close(got[:, valid[0]], expected[:, valid[0]])


def test_a_bandwidth_not_yet_learned_is_the_start_to_the_bit() -> None:
    y, valid = random_image(2, 5, 20, 20, dtype=torch.float32)
    for h2 in (0.7, 1 / 3, 11.1):
        plain = mean_shift(y, valid, h2, 2, 2)
        learned = torch.nn.Parameter(torch.zeros(2))
        assert torch.equal(mean_shift(y, valid, h2, 2, 2, log_ratio=learned), plain)


def test_the_surroundings_widen_the_bandwidth() -> None:
    y, valid = random_image(1, 3, 9, 7)
    expected = y[0]
    for _ in range(3):
        expected = brute_force(expected, valid[0], 0.2, 0.15)
    got = mean_shift(y, valid, 0.2, 3, 2, contrast=0.15)[0]
    torch.testing.assert_close(got[:, valid[0]], expected[:, valid[0]])


def test_a_mixed_pixel_goes_to_the_side_that_it_is_nearer_to() -> None:
    """And one pixel alone, or a spot of 3 x 3, is not washed away."""
    leaf, cloth = 40.0, 0.0
    for share, side in ((0.65, leaf), (0.35, cloth)):
        y = torch.full((1, 1, 12, 12), cloth)
        y[..., 6:] = leaf
        y[..., 5] = share * leaf + (1 - share) * cloth
        valid = torch.ones(1, 12, 12, dtype=torch.bool)
        out = mean_shift(y, valid, 1.0, 4, 2, contrast=0.1)
        assert (out[0, 0, :, 5] - side).abs().max() < 0.1 * leaf
        plain = mean_shift(y, valid, 1.0, 4, 2)
        assert (plain[0, 0, :, 5] - y[0, 0, :, 5]).abs().max() < 0.01 * leaf
    for size in (1, 3):
        y = torch.full((1, 1, 12, 12), cloth)
        y[..., 5 : 5 + size, 5 : 5 + size] = leaf
        out = mean_shift(y, valid, 1.0, 4, 2, contrast=0.1)
        assert out[0, 0, 5 : 5 + size, 5 : 5 + size].min() > 0.5 * leaf


def test_invalid_pixels_stay_and_pull_at_none() -> None:
    y, valid = random_image(1, 3, 9, 7)
    out = mean_shift(y, valid, 0.7, 2, 2)
    torch.testing.assert_close(out[0, :, ~valid[0]], y[0, :, ~valid[0]])
    changed = torch.where(valid[:, None], y, 50.0)
    again = mean_shift(changed, valid, 0.7, 2, 2)
    assert torch.equal(again[0, :, valid[0]], out[0, :, valid[0]])


def test_keeps_an_edge_that_a_box_mean_would_blur() -> None:
    """The reference code's, at its bandwidth on the unit sphere, is a box mean."""
    y = torch.zeros(1, 1, 8, 8)
    y[..., 4:] = 10.0
    valid = torch.ones(1, 8, 8, dtype=torch.bool)
    torch.testing.assert_close(mean_shift(y, valid, 0.5, 2, 2), y)
    box = torch.nn.functional.avg_pool2d(y, 5, 1, 2, count_include_pad=False)
    assert float((box - y).abs().max()) > 3
    torch.testing.assert_close(mean_shift(y, valid, 1e9, 1, 2), box)


def test_gradients_are_right_through_every_iteration() -> None:
    """With respect to y and to the bandwidths, pixels that are not valid included."""
    y, valid = random_image(2, 2, 5, 4, seed=1)
    ratio = torch.tensor([0.1, -0.3, 0.2], dtype=y.dtype, requires_grad=True)
    y.requires_grad_()
    rate = -torch.rand(2, 5, 4, dtype=y.dtype) - 0.2  # every pixel its own
    rate.requires_grad_()
    weight = valid.to(y.dtype)
    assert torch.autograd.gradcheck(
        lambda y, rate: _Iteration.apply(
            y, weight, rate, 2, _squared_distances(y.detach(), 2)
        ),
        (y, rate),
    )

    def shifted(y: torch.Tensor, ratio: torch.Tensor) -> torch.Tensor:
        return mean_shift(y, valid, 0.9, 3, 2, log_ratio=ratio)

    assert torch.autograd.gradcheck(shifted, (y, ratio))
    (at_ratio,) = torch.autograd.grad(shifted(y, ratio).square().sum(), ratio)
    assert (at_ratio.abs() > 1e-3).all()  # no iteration is cut off from the loss


def test_training_keeps_no_more_than_inference_holds() -> None:
    """An iteration keeps y, its result, the norm and the weights: no 24 shifts."""
    B, D, H, W = 2, 12, 32, 32
    y, valid = random_image(B, D, H, W, dtype=torch.float32)
    y.requires_grad_()
    ratio = torch.zeros(4, requires_grad=True)
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        mean_shift(y, valid, 5.0, 4, 2, 0.1, ratio).sum().backward()
    image = B * D * H * W * 4
    # y and four results; of single channels four norms, four bandwidths twice
    # (the rates and what they are made of), the weights; a few single numbers.
    assert sum(kept.values()) <= 5 * image + 13 * image // D + 200


def test_works_on_windows_smaller_than_its_reach() -> None:
    y = torch.randn(2, 3, 1, 2, requires_grad=True)
    valid = torch.ones(2, 1, 2, dtype=torch.bool)
    shifted = mean_shift(y, valid, 1.0, 2, 2)
    assert shifted.shape == y.shape
    shifted.sum().backward()
    torch.testing.assert_close(y.grad, torch.ones_like(y))
