from __future__ import annotations

import keyword
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import is_normalized_name

from safeinstall.request import names
from safeinstall.request.names import _pair, distance, neighbours, popular, words

_DISTRIBUTION = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE)

NO_SLIPS = """
sympy scipy spacy scapy h5py arrow pyarrow numba numpy torch pytorch polars pillow pandera
fastai fastapi bpython ipython dataset datasets unicorn uvicorn gunicorn djongo scrapyd moto
boto boto3 redis ray rich ruff trio typer types-requests pytest-env pytest-cov pytest-mpl
panda3d pandasai pandas2 httpx httpie h2 h11 attrs lxml flax flask black slack-sdk dask
xarray zarr celery celluloid jax jaxtyping keras kedro pymc pymc3 pypdf PyPDF2 pyqt5 pyqt6
tensorboardX scikit-misc scikit-image torchvision torchaudio torchx pydub pydot numpyro
geopandas modin statsmodels plotnine bokeh hvplot panel streamlit gradio
"""


def test_every_entry_of_the_table_is_a_valid_pair_and_none_comes_twice() -> None:
    pairs = [_pair(word) for word in words("modules")]
    modules = [module for module, _ in pairs]
    assert len(modules) == len(set(modules)) > 600
    for module, distribution in pairs:
        assert all(part.isidentifier() for part in module.split(".")), module
        assert not keyword.iskeyword(module)
        assert _DISTRIBUTION.fullmatch(distribution), distribution


def test_the_lists_hold_canonical_names_each_once() -> None:
    for each in (popular(), neighbours()):
        assert all(is_normalized_name(name) for name in each)
    assert not popular() & neighbours()


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("sklearn", "scikit-learn"),
        ("cv2", "opencv-python"),
        ("PIL", "Pillow"),
        ("yaml", "PyYAML"),
        ("bs4", "beautifulsoup4"),
        ("google.cloud.storage.blob", "google-cloud-storage"),
        ("dateutil.parser", "python-dateutil"),
        ("nothing_like_it", None),
    ],
)
def test_the_distribution_of_a_module(module: str, distribution: str | None) -> None:
    assert names.distribution_of(module) == distribution


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pandsa", "pandas"),
        ("panda", "pandas"),
        ("reqeusts", "requests"),
        ("request", "requests"),
        ("nunpy", "numpy"),
        ("matplotlb", "matplotlib"),
        ("tensorflwo", "tensorflow"),
        ("scikit-lern", "scikit-learn"),
        ("scikitlearn", "scikit-learn"),
        ("beautifulsop4", "beautifulsoup4"),
        ("djago", "django"),
    ],
)
def test_slips_are_seen(typed: str, meant: str) -> None:
    assert names.slip_of(typed) == meant


@pytest.mark.parametrize(
    "name",
    NO_SLIPS.split(),
)
def test_names_next_to_popular_ones_are_no_slips(name: str) -> None:
    assert names.slip_of(name) is None


@given(st.sampled_from(sorted(popular())))
def test_a_popular_name_is_never_a_slip(name: str) -> None:
    assert names.slip_of(name) is None


@given(st.text("abc-", max_size=6), st.text("abc-", max_size=6))
def test_the_distance_is_one(one: str, other: str) -> None:
    limit = 12
    assert distance(one, other, limit) == distance(other, one, limit)
    assert (distance(one, other, limit) == 0) == (one == other)
    assert distance(one, other, limit) <= max(len(one), len(other))


@given(st.text(max_size=40))
def test_no_text_disturbs_it(text: str) -> None:
    names.distribution_of(text)
    names.slip_of(text)
