"""Patches of all training years: read, proven leak-free, and turned into a `tf.data` pipeline."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stages.common.errors import ContractError
from stages.common.geo.raster import read_band
from stages.common.model.histograms import band_reference
from stages.common.model.split import MAY_LABEL, check_no_leak
from stages.common.params.learning import AugmentationParams
from stages.common.params.prepare import TERRAIN_BANDS
from stages.common.run.records import read_document
from stages.common.tables.drift import BandReference
from stages.common.tables.learning import PatchStats
from stages.common.types import AnyArray, UInt8Array


@dataclass(frozen=True)
class Patches:
    """N patches of side S for one use: to train, to validate or to calibrate."""

    image: AnyArray
    """(N, S, S, C) raw pixels, 0 where hidden."""
    label: UInt8Array
    """(N, S, S): 0, 1, 255."""
    visible: UInt8Array
    """(N, S, S): 1 where image and label may be used, else 0."""
    row: AnyArray
    """(N,): row of the upper left pixel in the grid; may be negative."""
    column: AnyArray
    """(N,): column of that pixel; may be negative."""
    scene: AnyArray
    """(N,): position of the patch's year among the training years; those of other sites follow."""

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True)
class TrainingData:
    """All that a training learns from."""

    train: Patches
    validation: Patches
    """Patches on which the best epoch is chosen."""
    calibration: Patches
    """Patches on which the probabilities are calibrated; may be empty."""
    shape: tuple[int, int]
    """Rows and columns of the grid that all years lie on."""
    bands: list[str]
    scale: float
    offset: float
    """Physical value = raw pixel x scale + offset."""
    mean: list[float]
    std: list[float]
    """Mean and standard deviation of each band over the training pixels, in physical values."""
    md5: str
    """Hash of all patches."""
    band_references: list[BandReference] = field(default_factory=list)


def load(folders: Mapping[int, Path], more: Sequence[Path] = ()) -> TrainingData:
    """Read the patches of each year (year to folder) and prove that none leaks.

    Of `more`, folders of other sites' years, the training patches are learned too, and count in the statistics.
    Validation and calibration are the site's own: the model is chosen and calibrated for the ground that it maps.

    Raises
    ------
    ContractError
        A patch shows a held-out pixel, or the years differ in bands or in the scale of their pixels.
    """
    own = list(folders.values())
    stats = [read_document(folder / "stats.json", PatchStats) for folder in (*own, *more)]
    _require_one_kind(stats[: len(own)], folders)
    roles = [read_band(folder / "split.tif") for folder in (*own, *more)]
    mean, std = pool_statistics(stats)
    sources = {use: [*own, *more] if use == "train" else own for use in MAY_LABEL}
    with ThreadPoolExecutor() as pool:
        md5 = pool.submit(_md5, _patch_files(own, more))
        parts = {
            use: pool.map(partial(_read, use), folders, roles[: len(folders)], range(len(folders)))
            for use, folders in sources.items()
        }
        sets = {use: _join(of_years) for use, of_years in parts.items()}
    return TrainingData(
        **sets,
        shape=(roles[0].shape[0], roles[0].shape[1]),
        bands=stats[0].bands,
        scale=stats[0].scale,
        offset=stats[0].offset,
        mean=mean,
        std=std,
        md5=md5.result(),
        band_references=pool_histograms(stats, mean, std),
    )


def pool_statistics(stats: list[PatchStats]) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each band over all years, from those of each year and its pixel count."""
    pixels = [year_stats.pixels for year_stats in stats]
    weight = np.array(pixels, dtype=np.float64)[:, None] / sum(pixels)
    means, stds = (np.array([getattr(year_stats, name) for year_stats in stats]) for name in ("mean", "std"))
    mean = (weight * means).sum(axis=0)
    variance = (weight * (stds**2 + (means - mean) ** 2)).sum(axis=0)
    return [round(float(m), 6) for m in mean], [round(float(s), 6) for s in np.sqrt(variance)]


def pool_histograms(stats: list[PatchStats], mean: list[float], std: list[float]) -> list[BandReference]:
    """Return the distribution of each band's training pixels, all years together."""
    pooled = np.asarray([year_stats.histogram for year_stats in stats], dtype=np.int64).sum(axis=0)
    return [band_reference(counts, mean=m, std=s) for counts, m, s in zip(pooled, mean, std, strict=True)]


def training_batches(
    data: TrainingData, *, batch: int, seed: int, size_px: int, augmentation: AugmentationParams
) -> Any:
    """Return endless batches of augmented patches: (B, T, T, C) float32 with NaN where hidden, (B, T, T, 1) uint8.

    T is `size_px`. Patch and augmentation of the n-th example depend on `seed` and n alone, whatever the
    number of threads.
    """
    import tensorflow as tf

    from stages.train.augment import augment

    image, label, visible = (tf.constant(part) for part in (data.train.image, data.train.label, data.train.visible))
    lit = [0.0 if band in TERRAIN_BANDS else std for band, std in zip(data.bands, data.std, strict=True)]
    std = tf.constant(lit, tf.float32)

    def example(number: Any) -> Any:
        key = tf.stack([tf.cast(seed, tf.int64), number])
        index = tf.random.stateless_uniform([], key, 0, len(data.train), tf.int32)
        physical = tf.cast(image[index], tf.float32) * data.scale + data.offset
        return augment(
            physical, label[index], visible[index], tf.add(key, [1, 0]), std=std, size_px=size_px, params=augmentation
        )

    examples = tf.data.Dataset.counter().map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(batch, drop_remainder=True).prefetch(4)


def unchanged_batches(data: TrainingData, patches: Patches, *, batch: int) -> Any:
    """Return batches of windows as they are, with their whole margin as context; no pixel is changed."""
    import tensorflow as tf

    def prepare(image: Any, label: Any, visible: Any) -> Any:
        physical = tf.cast(image, tf.float32) * data.scale + data.offset
        nan = tf.constant(float("nan"), tf.float32)
        return tf.where(visible[..., None] > 0, physical, nan), label[..., None]

    parts = patches.image, patches.label, patches.visible
    return tf.data.Dataset.from_tensor_slices(parts).batch(batch).map(prepare)


def _require_one_kind(stats: list[PatchStats], folders: Mapping[int, Path]) -> None:
    kinds = [(year_stats.bands, year_stats.scale, year_stats.offset) for year_stats in stats]
    for kind, folder in zip(kinds, folders.values(), strict=True):
        if kind != kinds[0]:
            raise ContractError(
                "the training years hold different kinds of pixels",
                where=folder / "stats.json",
                expected=kinds[0],
                found=kind,
                fix="prepare all years with the same bands and storage",
            )


def _patch_files(own: Sequence[Path], more: Sequence[Path]) -> list[Path]:
    files = [folder / f"{use}.npz" for folder in own for use in MAY_LABEL]
    return [*files, *(folder / "train.npz" for folder in more)]


def _read(use: str, folder: Path, roles: UInt8Array, scene: int) -> Patches:
    path = folder / f"{use}.npz"
    with np.load(path) as file:
        patches = {name: file[name] for name in file.files}
    check_no_leak(patches, roles, use=use, where=path)
    return Patches(**patches, scene=np.full(len(patches["row"]), scene, dtype=np.int64))


def _join(parts: Iterable[Patches]) -> Patches:
    years = list(parts)
    return Patches(*(np.concatenate([getattr(patches, field.name) for patches in years]) for field in fields(Patches)))


def _md5(paths: Iterable[Path]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
