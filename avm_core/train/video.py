"""Train `video_gem`: a picture and what an upload makes of it must look alike, others must not.

InfoNCE and entropy as in SSCD (Pizzi et al., CVPR 2022), on features of a frozen backbone that
were made once: a step costs milliseconds, so a batch is as large as negatives are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from avm_core.models.background import Background
from avm_core.models.projection import Projection, ProjectionConfig
from avm_core.train.feature_bank import FeatureBank
from avm_core.train.losses import koleo, nt_xent
from avm_core.train.projection_start import Start, discriminative, standardised, whitened

_BAR = 0.99  # quantile of the best strangers


@dataclass(frozen=True, slots=True)
class PictureTaskConfig:
    """`batch` pictures a step; the first of two views is edited too in a share `p_both`;
    `entropy` is the weight of KoLeo; two pictures whose standardised features have a cosine above
    `same` are no negatives (sizes of one wallpaper); `noise` is added to standardised features."""

    batch: int = 1_024
    temperature: float = 0.07
    entropy: float = 1.0
    same: float = 0.8
    p_both: float = 0.25
    noise: float = 0.3
    start: Start = "pairs"
    dims: int = 256
    hidden: int = 0
    background: int = 1_500


class PictureTask:
    """A `Task` of the training loop. `classes` [F, dims] is the map of the start "classes"."""

    def __init__(
        self,
        config: PictureTaskConfig,
        bank: FeatureBank,
        classes: torch.Tensor | None = None,
        seed: int = 0,
    ) -> None:
        self._config = config
        self._features = torch.from_numpy(bank.features)
        self._train, self._held = (torch.tensor(bank.choose(held=h)) for h in (False, True))
        groups = {group: n for n, group in enumerate(dict.fromkeys(s.group for s in bank.shots))}
        self._groups = torch.tensor([groups[shot.group] for shot in bank.shots])
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self._projection = Projection(
                ProjectionConfig(bank.features.shape[2], config.dims, config.hidden)
            )
        self._start(classes)

    @property
    def network(self) -> Projection:
        return self._projection

    @torch.no_grad()
    def _start(self, classes: torch.Tensor | None) -> None:
        net, config = self._projection, self._config
        trained = self._features[self._train].float()
        centre, spread = standardised(trained[:, 0].numpy())
        net.centre.copy_(centre)
        net.spread.copy_(spread)
        standard = ((trained - centre) / spread).numpy()
        if config.start == "classes":
            if classes is None:
                raise ValueError("the start from classes needs their map")
            kernel = classes * spread[:, None]
        elif config.start == "whitened":
            kernel = whitened(standard[:, 0], config.dims)
        else:
            kernel = discriminative(standard[:, 0], standard[:, 1:], config.dims)
        # A descriptor has unit norm whatever the scale; the optimiser's steps are for weights
        # of this one.
        scale = np.sqrt(1 / kernel.shape[0]) / float(kernel.std())
        net.linear.weight.copy_(kernel.T * scale)

    def loss(self, step: int, generator: torch.Generator) -> torch.Tensor:
        """InfoNCE and entropy of one batch of the training pictures."""
        del step
        config = self._config
        count = min(config.batch, len(self._train))
        order = torch.randperm(len(self._train), generator=generator)[:count]
        picks, views = self._train[order], self._features.shape[1]
        ignore = self._alike(picks)
        edited = torch.randint(1, views, (2, count), generator=generator)
        both = torch.rand(count, generator=generator) < config.p_both
        first = torch.where(both, edited[0], torch.zeros_like(edited[0]))
        one = self._described(picks, first, generator)
        two = self._described(picks, edited[1], generator)
        ignore = ignore.to(one.device)
        loss = nt_xent(one, two, ignore, config.temperature)
        return loss + config.entropy * 0.5 * (koleo(one, ignore) + koleo(two, ignore))

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Of the edited views of held-out pictures: `top1`, the share whose nearest clean picture
        is their own; `apart`, the share that is nearer to it than 99 % of the views are to any
        other picture. Nothing held out, no score."""
        if len(self._held) < 2:
            return {}
        vectors = self._vectors(self._held)
        alike = self._alike(self._held)
        clean, views = vectors[:, 0], vectors[:, 1:]
        cosines = torch.einsum("nvd,md->nvm", views, clean)
        own = torch.einsum("nvd,nd->nv", views, clean)
        best = cosines.masked_fill(alike[:, None].to(cosines.device), -1.0).amax(dim=2)
        bar = torch.quantile(best.flatten().float(), _BAR)
        top1, apart = (own > best).float().mean(), (own > bar).float().mean()
        return {"top1": float(top1), "apart": float(apart)}

    def state(self) -> dict[str, torch.Tensor]:
        """Nothing: every step starts from its generator."""
        return {}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """The reverse of `state`."""

    @torch.inference_mode()
    def background(self) -> Background:
        """Descriptors of training pictures, one of each group, evenly over all of them."""
        groups = self._groups[self._train].tolist()
        firsts = [groups.index(group) for group in dict.fromkeys(groups)]
        count = min(self._config.background, len(firsts))
        chosen = np.linspace(0, len(firsts) - 1, count).round().astype(int)
        picks = self._train[torch.tensor(firsts)[torch.from_numpy(chosen)]]
        return Background.of(self._vectors(picks)[:, 0].cpu().numpy())

    def _described(
        self, picks: torch.Tensor, views: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        net = self._projection
        features = self._features[picks, views].float()
        jitter = torch.randn(features.shape, generator=generator) * self._config.noise
        device = net.centre.device
        return net(features.to(device) + jitter.to(device) * net.spread)

    def _vectors(self, picks: torch.Tensor) -> torch.Tensor:
        """Descriptors [n, 1 + views, dims] of all views of pictures."""
        features = self._features[picks].float().to(self._projection.centre.device)
        return self._projection(features.flatten(0, 1)).unflatten(0, features.shape[:2])

    def _alike(self, picks: torch.Tensor) -> torch.Tensor:
        """Pairs [n, n] that are no negatives: of one group, or near duplicates."""
        net = self._projection
        clean = self._features[picks, 0].float()
        standard = (clean - net.centre.cpu()) / net.spread.cpu()
        unit = torch.nn.functional.normalize(standard, dim=1)
        groups = self._groups[picks]
        return (unit @ unit.T > self._config.same) | (groups[:, None] == groups[None])
