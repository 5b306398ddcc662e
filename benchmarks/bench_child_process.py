"""A TorchScript file in a process of its own against the same file in this one, at 240²."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import torch

from napari_sparseexplain.networks.bundle.external_model import ExternalNetwork, load_external_model
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.exported.torchscript_archive import checked_torchscript
from paired_timing import Row, paired

_CARD = ModelCard(
    name="file",
    title="A file",
    architecture="torchscript",
    arguments={"head": "sigmoid"},
    task="segmentation",
    inputs=Inputs(("flair",), "unit", spacing_mm=1.0, size=240),
    classes={"1": "lesion"},
)


class _Logits(torch.nn.Module):
    """The bundled U-Net's logits: a network of the size that people have, without our card."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)[1]


def measure(repeats: int) -> list[Row]:
    """Forward and gradient of one image; both ways must agree before they are timed."""
    x = torch.rand((1, 1, 240, 240), generator=torch.Generator().manual_seed(0))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unet.ts"
        torch.jit.save(torch.jit.trace(_Logits(load_model("unet").network), x), str(path))
        ours = load_external_model(path, _CARD).network
        here = torch.jit.load(io.BytesIO(checked_torchscript(path))).eval()
        for weight in here.parameters():
            weight.requires_grad_(False)
        peer = ExternalNetwork(here, head="sigmoid")

        def forward(network: torch.nn.Module) -> torch.Tensor:
            with torch.inference_mode():
                return network(x)[1]

        def gradient(network: torch.nn.Module) -> torch.Tensor:
            image = x.clone().requires_grad_(True)
            (found,) = torch.autograd.grad(network(image)[1].sum(), image)
            return found

        for name, call in (("forward", forward), ("forward and gradient", gradient)):
            for _ in range(3):  # TorchScript settles after two calls
                gap = float((call(ours) - call(peer)).abs().max())
            if gap > 1e-5 * float(call(peer).abs().max()):
                raise AssertionError(f"{name}: the two ways disagree by {gap}")
            mine, theirs, ratio = paired(
                lambda call=call: call(ours), lambda call=call: call(peer), 5 * repeats
            )
            rows.append(
                Row(
                    f"TorchScript U-Net in a child, {name} at 240², {torch.get_num_threads()} "
                    "thread(s)",
                    f"{mine * 1e3:.1f} ms",
                    f"in process {theirs * 1e3:.1f} ms",
                    f"{1 / ratio:.2f}× the time",
                    "≤ 1.10×",
                    1 / ratio <= 1.10,
                )
            )
        ours.inner.process.end()
    return rows
