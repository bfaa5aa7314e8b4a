"""Distributions so widely used that a name next to theirs is more likely a slip than a wish.

Written for this project, from common knowledge; BSD-3-Clause as the rest. It is a spelling aid,
no judgement about any package.
"""

from __future__ import annotations

from functools import cache
from typing import Final

__all__ = ["neighbours", "popular"]

_NAMES: Final = """
absl-py accelerate aiobotocore aiofiles aiohttp aiosignal alembic altair anaconda-client
annotated-types ansible anthropic antlr4-python3-runtime anyio appdirs argcomplete argon2-cffi
arrow arviz asgiref astropy asttokens async-timeout asyncpg atpublic attrs autopep8 awscli
azure-core azure-identity azure-storage-blob babel backoff bcrypt beautifulsoup4 biopython bitarray
black bleach blinker bokeh boto3 botocore bottle build cachetools cartopy catboost celery certifi
cffi chardet charset-normalizer cherrypy click cloudpickle cmake colorama coloredlogs colorlog comm
contourpy coverage cryptography cupy cvxpy cycler cython dash dask databricks-sdk datasets debugpy
decorator defusedxml deprecated dill distlib distributed django djangorestframework dnspython
docker docstring-parser docutils duckdb einops elasticsearch email-validator et-xmlfile evaluate
executing fabric faker fastapi fastavro fastjsonschema feather-format filelock fiona flake8 flask
flask-cors flax folium fonttools frozenlist fsspec future gcsfs gensim geopandas geopy gevent gitdb
gitpython google-api-core google-api-python-client google-auth google-cloud-bigquery
google-cloud-storage gql graphviz greenlet grpcio gunicorn gym gymnasium h11 h5py holoviews
httpcore httplib2 httptools httpx huggingface-hub hvplot hydra-core hypothesis idna igraph imageio
imbalanced-learn importlib-metadata importlib-resources iniconfig ipykernel ipympl ipython
ipywidgets isodate isort itsdangerous jax jaxlib jedi jinja2 jmespath joblib json5 jsonpatch
jsonpickle jsonpointer jsonschema jupyter jupyter-client jupyter-core jupyter-server jupyterlab
jupytext keras keyring kiwisolver kornia kubernetes langchain langchain-core lazy-loader librosa
lightgbm lightning llvmlite locket loguru lxml lz4 mako markdown markdown-it-py markupsafe
marshmallow matplotlib mistune mlflow mlxtend mock monai more-itertools mpmath msal msgpack
multidict multiprocess mypy mypy-extensions mysqlclient narwhals nbclient nbconvert nbformat
nest-asyncio netcdf4 networkx nibabel nilearn nltk nose notebook numba numexpr numpy oauthlib
omegaconf onnx onnxruntime openai opencv-contrib-python opencv-python opencv-python-headless
openpyxl opentelemetry-api opentelemetry-sdk optax optuna orjson packaging pandas pandas-stubs
pandera papermill param paramiko parso partd pathspec patsy peewee pendulum pexpect pika pillow pip
pipenv platformdirs plotly plotnine pluggy poetry polars pooch portalocker pre-commit prettytable
prometheus-client prompt-toolkit prophet protobuf psutil psycopg2 psycopg2-binary ptyprocess pulp
pure-eval pyarrow pyasn1 pyasn1-modules pycodestyle pycparser pycryptodome pycryptodomex pydantic
pydantic-core pydantic-settings pydeck pydicom pydot pyflakes pygame pygments pyjwt pylint pymc
pymongo pymysql pynacl pyodbc pyopenssl pyparsing pypdf pyperclip pyproj pyqt5 pyqt6 pyright
pyrsistent pyserial pyside6 pyspark pystan pytest pytest-asyncio pytest-cov pytest-mock
pytest-xdist python-dateutil python-docx python-dotenv python-multipart pytorch-lightning pytz
pyvista pywavelets pyyaml pyzmq qiskit rasterio ray redis referencing regex requests
requests-oauthlib requests-toolbelt responses rich rpds-py rsa ruamel-yaml ruff s3fs s3transfer
sacremoses safetensors scapy scikit-image scikit-learn scikit-optimize scipy scrapy seaborn
selenium sentence-transformers sentencepiece sentry-sdk setuptools setuptools-scm shap shapely
simplejson six slack-sdk smart-open smmap sniffio snowflake-connector-python sortedcontainers
soundfile soupsieve spacy sphinx sqlalchemy sqlparse stack-data starlette statsmodels streamlit
sympy tables tabulate tblib tenacity tensorboard tensorflow tensorflow-probability termcolor
terminado testpath textblob thinc threadpoolctl tifffile tiktoken timm tokenizers toml tomli
tomlkit toolz torch torchaudio torchmetrics torchtext torchvision tornado tox tqdm traitlets
transformers trio twine typer types-requests typing-extensions typing-inspect tzdata tzlocal ujson
umap-learn unidecode uritemplate urllib3 uvicorn uvloop vaex virtualenv wandb watchdog watchfiles
wcwidth webcolors webencodings websocket-client websockets werkzeug wheel widgetsnbextension
wordcloud wrapt xarray xgboost xlrd xlsxwriter xxhash yarl yfinance zarr zipp zope-interface
zstandard
"""


_NEIGHBOURS: Final = """
aredis arrows bpython clique cvxopt dataset djongo fakeredis fastai graphql httpie kedro openapi
panda3d pandasai polaris pybind11 pycuda pydub pylink pyodide pytype sanic scrapyd torchx types-pytz
unicorn wheels xarray-simlab
"""
"""Distributions of their own whose names happen to lie next to a popular one."""


@cache
def popular() -> frozenset[str]:
    """Return the canonical names."""
    return frozenset(_NAMES.split())


@cache
def neighbours() -> frozenset[str]:
    """Return the canonical names that look like a slip and are none."""
    return frozenset(_NEIGHBOURS.split())
