"""Names: which distribution an import name belongs to, and which name was probably meant.

The table and the list are our own, written for this project from common knowledge and under its
licence (BSD-3-Clause); a spelling aid, no judgement about any package. In the table one pair per
word, `module:distribution`; the distribution is the one most people mean. A slip of the pen is a
name that is one or two letters away from a very popular one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from packaging.utils import canonicalize_name

_PAIRS: Final = """
absl:absl-py accelerate:accelerate adodbapi:pywin32 aesara:aesara afinn:afinn agate:agate
aiohttp_cors:aiohttp-cors airflow:apache-airflow albumentations:albumentations alembic:alembic
alibi:alibi allel:scikit-allel anndata:anndata annoy:annoy antlr4:antlr4-python3-runtime
ants:antspyx apache_beam:apache-beam apiclient:google-api-python-client
AppKit:pyobjc-framework-Cocoa apscheduler:APScheduler arch:arch argon2:argon2-cffi
asciimatics:asciimatics ase:ase asn1crypto:asn1crypto astroquery:astroquery attr:attrs attrs:attrs
autogluon:autogluon axe_selenium_python:axe-selenium-python azure.cosmos:azure-cosmos
azure.identity:azure-identity azure.keyvault:azure-keyvault azure.storage.blob:azure-storage-blob
babel:Babel backports.zoneinfo:backports.zoneinfo bayes_opt:bayesian-optimization bidi:python-bidi
binance:python-binance Bio:biopython bitsandbytes:bitsandbytes bluetooth:PyBluez bokeh:bokeh
bpy:bpy bs4:beautifulsoup4 bson:pymongo cairo:pycairo cairosvg:CairoSVG can:python-can
cantera:cantera cartopy:Cartopy casadi:casadi cassandra:cassandra-driver
category_encoders:category-encoders causalml:causalml cdsapi:cdsapi cellpose:cellpose cfgrib:cfgrib
cftime:cftime chaospy:chaospy charset_normalizer:charset-normalizer chromadb:chromadb cirq:cirq
clang:libclang clickhouse_connect:clickhouse-connect clickhouse_driver:clickhouse-driver
clip:openai-clip cloudinary:cloudinary clr:pythonnet coinbase:coinbase colorama:colorama
comet_ml:comet-ml community:python-louvain configargparse:ConfigArgParse consul:python-consul
contextily:contextily control:control CoolProp:CoolProp corsheaders:django-cors-headers
couchdb:CouchDB cplex:cplex cpuinfo:py-cpuinfo crispy_forms:django-crispy-forms
cron_descriptor:cron-descriptor crontab:python-crontab Crypto:pycryptodome Cryptodome:pycryptodomex
cs50:cs50 cv2:opencv-python cv:opencv-python cx_Oracle:cx_Oracle Cython:Cython daal4py:daal4py
dash_bootstrap_components:dash-bootstrap-components dash_core_components:dash
dash_html_components:dash databricks:databricks-sdk dateparser:dateparser dateutil:python-dateutil
ddtrace:ddtrace deap:deap debug_toolbar:django-debug-toolbar dedalus:dedalus delta:delta-spark
deltalake:deltalake demjson3:demjson3 dicom:pydicom discord:discord.py
django_extensions:django-extensions django_filters:django-filter dlib:dlib dns:dnspython
docker:docker docopt:docopt docx2txt:docx2txt docx:python-docx docxtpl:docxtpl
dolfinx:fenics-dolfinx dotenv:python-dotenv dotmap:dotmap dowhy:dowhy drf_yasg:drf-yasg
dropbox:dropbox duckduckgo_search:duckduckgo-search dvc:dvc dwave:dwave-ocean-sdk
dxfgrabber:dxfgrabber earthpy:earthpy ebooklib:EbookLib econml:econml edge_tts:edge-tts
ee:earthengine-api eeglabio:eeglabio efficientnet_pytorch:efficientnet-pytorch elftools:pyelftools
eli5:eli5 emcee:emcee en_core_web_sm:en-core-web-sm enchant:pyenchant engineio:python-engineio
environ:django-environ esmpy:esmpy evdev:evdev exifread:ExifRead eyed3:eyeD3
face_recognition:face-recognition facebook_business:facebook-business fairseq:fairseq
faiss:faiss-cpu falcon:falcon fancyimpute:fancyimpute fastparquet:fastparquet fasttext:fasttext
feature_engine:feature-engine feedparser:feedparser ffmpeg:ffmpeg-python fhirclient:fhirclient
fiftyone:fiftyone filetype:filetype fipy:FiPy fire:fire firebase_admin:firebase-admin fitz:PyMuPDF
flask_admin:Flask-Admin flask_babel:Flask-Babel flask_bcrypt:Flask-Bcrypt
flask_caching:Flask-Caching flask_cors:Flask-Cors flask_jwt_extended:Flask-JWT-Extended
flask_limiter:Flask-Limiter flask_login:Flask-Login flask_mail:Flask-Mail
flask_migrate:Flask-Migrate flask_restful:Flask-RESTful flask_restx:flask-restx
flask_script:Flask-Script flask_session:Flask-Session flask_socketio:Flask-SocketIO
flask_sqlalchemy:Flask-SQLAlchemy flask_wtf:Flask-WTF fluent:fluent-logger flwr:flwr
fontTools:fonttools forex_python:forex-python Foundation:pyobjc-framework-Cocoa fpdf:fpdf2
freetype:freetype-py fuzzywuzzy:fuzzywuzzy galpy:galpy gdal:GDAL geemap:geemap gempy:gempy
geoviews:geoviews gevent:gevent gi:PyGObject git:GitPython github:PyGithub gitlab:python-gitlab
gluonnlp:gluonnlp gluonts:gluonts gmpy2:gmpy2 gmsh:gmsh gnupg:python-gnupg goatools:goatools
google.api_core:google-api-core google.auth:google-auth
google.cloud.aiplatform:google-cloud-aiplatform google.cloud.bigquery:google-cloud-bigquery
google.cloud.firestore:google-cloud-firestore google.cloud.pubsub:google-cloud-pubsub
google.cloud.pubsub_v1:google-cloud-pubsub google.cloud.secretmanager:google-cloud-secret-manager
google.cloud.speech:google-cloud-speech google.cloud.storage:google-cloud-storage
google.cloud.translate:google-cloud-translate google.cloud.vision:google-cloud-vision
google.genai:google-genai google.generativeai:google-generativeai google.oauth2:google-auth
google.protobuf:protobuf google_auth_oauthlib:google-auth-oauthlib
googleapiclient:google-api-python-client googlemaps:googlemaps googlesearch:googlesearch-python
googletrans:googletrans graph_tool:graph-tool graphql:graphql-core gridfs:pymongo grpc:grpcio
grpc_tools:grpcio-tools gseapy:gseapy gtts:gTTS gurobipy:gurobipy haystack:haystack-ai
hdbscan:hdbscan healpy:healpy highspy:highspy hmmlearn:hmmlearn hnswlib:hnswlib html2text:html2text
html5lib:html5lib htmlmin:htmlmin HTSeq:HTSeq hydra:hydra-core hyperopt:hyperopt
icalendar:icalendar ics:ics igraph:igraph ijson:ijson imagehash:ImageHash imblearn:imbalanced-learn
impala:impyla implicit:implicit imutils:imutils influxdb_client:influxdb-client interpret:interpret
intervaltree:intervaltree ipyleaflet:ipyleaflet ipympl:ipympl IPython:ipython ipywidgets:ipywidgets
iris:scitools-iris itk:itk jaeger_client:jaeger-client jinja2:Jinja2 jira:jira jnius:pyjnius
jose:python-jose jpype1:JPype1 jpype:JPype1 jsonpath_ng:jsonpath-ng jsonpath_rw:jsonpath-rw
jupyter_client:jupyter-client jupyter_core:jupyter-core jupyter_server:jupyter-server
jupyterlab_widgets:jupyterlab-widgets jwcrypto:jwcrypto jwt:PyJWT kafka:kafka-python kaggle:kaggle
kazoo:kazoo keras_tuner:keras-tuner kerastuner:keras-tuner kivy:Kivy kiwipiepy:kiwipiepy
kmodes:kmodes konlpy:konlpy langchain_community:langchain-community langchain_core:langchain-core
langchain_openai:langchain-openai langchain_text_splitters:langchain-text-splitters langid:langid
lasio:lasio ldap3:ldap3 ldap:python-ldap leafmap:leafmap Levenshtein:Levenshtein
libarchive:libarchive-c libpysal:libpysal librosa:librosa libtorrent:libtorrent lifelines:lifelines
lightfm:lightfm lightkurve:lightkurve lightning_fabric:lightning lime:lime
linear_operator:linear-operator linearmodels:linearmodels llama_cpp:llama-cpp-python
llama_index:llama-index lpips:lpips ludwig:ludwig lxml_html_clean:lxml-html-clean lz4:lz4
lzo:python-lzo madmom:madmom magic:python-magic mako:Mako mapbox:mapbox mapclassify:mapclassify
mapie:MAPIE markdown2:markdown2 markdown:Markdown markdown_it:markdown-it-py
markdownify:markdownify markupsafe:MarkupSafe mcp:mcp MDAnalysis:MDAnalysis mdtraj:mdtraj
MeCab:mecab-python3 mediapipe:mediapipe memcache:python-memcached memory_profiler:memory-profiler
meshio:meshio metaflow:metaflow metpy:MetPy mido:mido milvus:pymilvus minio:minio mip:mip
missingno:missingno mistralai:mistralai mne:mne mnist:mnist monai:monai moviepy:moviepy
mpi4py:mpi4py mpl_finance:mpl-finance mpl_toolkits:matplotlib mplfinance:mplfinance
msgpack_numpy:msgpack-numpy mujoco_py:mujoco-py music21:music21 mutagen:mutagen
mwparserfromhell:mwparserfromhell mysql:mysql-connector-python MySQLdb:mysqlclient nacl:PyNaCl
nbclient:nbclient neo4j:neo4j neptune:neptune nest_asyncio:nest-asyncio netaddr:netaddr
netCDF4:netCDF4 netmiko:netmiko networkx:networkx newspaper:newspaper3k nibabel:nibabel nltk:nltk
nmap:python-nmap notion_client:notion-client numpy_financial:numpy-financial
nvidia_smi:nvidia-ml-py oauth2client:oauth2client obspy:obspy OCC:pythonocc-core odf:odfpy
office365:Office365-REST-Python-Client ogr:GDAL olefile:olefile openbabel:openbabel-wheel
OpenEXR:OpenEXR OpenGL:PyOpenGL openid:python3-openid OpenImageIO:OpenImageIO openmm:OpenMM
openslide:openslide-python OpenSSL:pyOpenSSL ortools:ortools osgeo:GDAL osmium:osmium osmnx:osmnx
paho:paho-mqtt pandas_datareader:pandas-datareader pandas_gbq:pandas-gbq
pandas_profiling:ydata-profiling pandas_ta:pandas-ta pandocfilters:pandocfilters parmed:ParmEd
parse_type:parse-type past:future pdf2image:pdf2image pdfkit:pdfkit pdfminer:pdfminer.six
pdfplumber:pdfplumber peft:peft pennylane:PennyLane pg8000:pg8000 phonenumbers:phonenumbers
photutils:photutils picamera:picamera PIL:Pillow pinecone:pinecone pint:Pint pip_audit:pip-audit
pkg_resources:setuptools pl_bolts:lightning-bolts plaid:plaid-python playwright:playwright
plotly_express:plotly-express pmdarima:pmdarima poppler:python-poppler powerlaw:powerlaw
pptx:python-pptx prettytable:prettytable prometheus_client:prometheus-client
prompt_toolkit:prompt-toolkit psi4:psi4 psycopg2:psycopg2-binary psycopg:psycopg
pulsar:pulsar-client pvlib:pvlib pwn:pwntools py7zr:py7zr pyart:arm-pyart
pyasn1_modules:pyasn1-modules pyaudio:PyAudio pyautogui:PyAutoGUI pyBigWig:pyBigWig
pycocotools:pycocotools pycurl:pycurl pydantic_settings:pydantic-settings pydicom:pydicom
pydot:pydot pydrive2:PyDrive2 pydrive:PyDrive pydub:pydub pyfftw:pyFFTW pygmt:pygmt pyhdf:pyhdf
PyInstaller:pyinstaller pyjnius:pyjnius pykalman:pykalman pylab:matplotlib pyLDAvis:pyLDAvis
pymatgen:pymatgen pymunk:pymunk pymupdf:PyMuPDF pyngrok:pyngrok pynput:pynput pynvml:nvidia-ml-py
pyod:pyod pyodbc:pyodbc pyomo:Pyomo pyowm:pyowm pypandoc:pypandoc PyPDF2:PyPDF2 pypdf:pypdf
pyperclip:pyperclip pyproj:pyproj PyQt5:PyQt5 PyQt6:PyQt6 pyrebase:Pyrebase4 Pyro4:Pyro4
Pyro5:Pyro5 pyrogram:Pyrogram pysal:pysal pysam:pysam pyscf:pyscf PySide2:PySide2 PySide6:PySide6
pyspark:pyspark pystray:pystray pytesseract:pytesseract pythoncom:pywin32 pytorch3d:pytorch3d
pytorch_lightning:pytorch-lightning pytorch_metric_learning:pytorch-metric-learning pyttsx3:pyttsx3
pytube:pytube pyvista:pyvista pywintypes:pywin32 pywt:PyWavelets pyximport:Cython
qdrant_client:qdrant-client qiskit_aer:qiskit-aer qrcode:qrcode quandl:Quandl
Quartz:pyobjc-framework-Quartz qutip:qutip radon:radon ranger:ranger-fm rapidfuzz:rapidfuzz
rasa:rasa rasterstats:rasterstats ratelimit:ratelimit rdkit:rdkit readability:readability-lxml
rediscluster:redis-py-cluster regex:regex reportlab:reportlab requests_html:requests-html
requests_oauthlib:requests-oauthlib requests_toolbelt:requests-toolbelt
rest_framework:djangorestframework rest_framework_simplejwt:djangorestframework-simplejwt
rfc3986:rfc3986 rioxarray:rioxarray river:river robot:robotframework rospkg:rospkg rpy2:rpy2
rsa:rsa rtree:Rtree ruamel.yaml:ruamel.yaml ruamel:ruamel.yaml ruptures:ruptures
sacrebleu:sacrebleu sagemaker:sagemaker SALib:SALib scanpy:scanpy scikitplot:scikit-plot
scikits.odes:scikits.odes scipy_stubs:scipy-stubs scrapy:Scrapy screeninfo:screeninfo
scvi:scvi-tools sdv:sdv segmentation_models_pytorch:segmentation-models-pytorch segyio:segyio
semantic_kernel:semantic-kernel sentence_transformers:sentence-transformers sentry_sdk:sentry-sdk
serial:pyserial serpapi:google-search-results setuptools_scm:setuptools-scm shap:shap
shapefile:pyshp SimpleITK:SimpleITK sip:PyQt5-sip siphon:siphon skbio:scikit-bio skfem:scikit-fem
skfuzzy:scikit-fuzzy skimage:scikit-image sklearn:scikit-learn sklearn_crfsuite:sklearn-crfsuite
skmisc:scikit-misc skmultilearn:scikit-multilearn skopt:scikit-optimize skorch:skorch
skrf:scikit-rf sksurv:scikit-survival sktime:sktime slack:slackclient slack_bolt:slack-bolt
slack_sdk:slack-sdk slugify:python-slugify slycot:slycot smartsheet:smartsheet-python-sdk
snappy:python-snappy snowflake.connector:snowflake-connector-python
snowflake:snowflake-connector-python socketio:python-socketio socks:PySocks sounddevice:sounddevice
soundfile:soundfile spacy:spacy SPARQLWrapper:sparqlwrapper speech_recognition:SpeechRecognition
sphinx_rtd_theme:sphinx-rtd-theme spotipy:spotipy sqlalchemy:SQLAlchemy
sqlalchemy_utils:SQLAlchemy-Utils sqlmodel:sqlmodel stable_baselines3:stable-baselines3
stanza:stanza stim:stim stripe:stripe sumy:sumy sunpy:sunpy supabase:supabase
surprise:scikit-surprise svgwrite:svgwrite swiglpk:swiglpk ta:ta tables:tables tabula:tabula-py
tabulate:tabulate talib:TA-Lib tblib:tblib telebot:pyTelegramBotAPI telegram:python-telegram-bot
telethon:Telethon tensorboardX:tensorboardX tensorflow_addons:tensorflow-addons
tensorflow_datasets:tensorflow-datasets tensorflow_hub:tensorflow-hub
tensorflow_probability:tensorflow-probability tensorflow_text:tensorflow-text termcolor:termcolor
terminaltables:terminaltables textract:textract tflite_runtime:tflite-runtime tgcrypto:TgCrypto
thinc:thinc tkcalendar:tkcalendar tkinterdnd2:tkinterdnd2 tlz:toolz torch_cluster:torch-cluster
torch_geometric:torch-geometric torch_scatter:torch-scatter torch_sparse:torch-sparse
torchsummary:torchsummary torchvision:torchvision tqdm:tqdm tree_sitter:tree-sitter trimesh:trimesh
ttkthemes:ttkthemes tweepy:tweepy twilio:twilio twisted:Twisted twitter:python-twitter
TwitterAPI:TwitterAPI typing_extensions:typing-extensions typing_inspect:typing-inspect
tzlocal:tzlocal umap:umap-learn umsgpack:u-msgpack-python uncertainties:uncertainties
undetected_chromedriver:undetected-chromedriver unidecode:Unidecode unstructured:unstructured
upsetplot:UpSetPlot urllib3:urllib3 usb:pyusb uvicorn:uvicorn vaderSentiment:vaderSentiment
validators:validators vcf:PyVCF3 vlc:python-vlc vobject:vobject voluptuous:voluptuous vtk:vtk
wandb:wandb weasyprint:weasyprint weaviate:weaviate-client webdriver_manager:webdriver-manager
websocket:websocket-client webview:pywebview werkzeug:Werkzeug whisper:openai-whisper whoosh:Whoosh
wikipediaapi:Wikipedia-API win32api:pywin32 win32com:pywin32 win32con:pywin32 win32gui:pywin32
wordcloud:wordcloud wx:wxPython xarray:xarray xdg:pyxdg xesmf:xesmf xgboost:xgboost
Xlib:python-xlib xlsxwriter:XlsxWriter xlwings:xlwings xmlschema:xmlschema xmltodict:xmltodict
yacs:yacs yaml:PyYAML yfinance:yfinance youtube_dl:youtube-dl
youtube_transcript_api:youtube-transcript-api yt:yt yt_dlp:yt-dlp zeep:zeep zmq:pyzmq
zope.interface:zope.interface zstandard:zstandard zstd:zstd
"""


@cache
def table() -> Mapping[str, str]:
    """Return the whole table, import name -> distribution name."""
    return dict(pair.split(":", 1) for pair in _PAIRS.split())


@cache
def known() -> frozenset[str]:
    """Return the canonical names of the distributions in the table."""
    return frozenset(canonicalize_name(name) for name in table().values())


def distribution_of(module: str) -> str | None:
    """Return the distribution an import of `module` probably wants, or None when nobody knows.

    The longest known beginning of a dotted name decides.
    """
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        found = table().get(".".join(parts[:length]))
        if found:
            return found
    return None


def modules_of(distribution: str) -> tuple[str, ...]:
    """Return the import names the table knows for a distribution."""
    key = canonicalize_name(distribution)
    return tuple(name for name, owner in table().items() if canonicalize_name(owner) == key)


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


_ONE_LETTER = 5
"""From this length on, one wrong letter is a slip; shorter names are too close to each other."""
_TWO_LETTERS = 9
"""From this length on, two are."""


def slip_of(name: str) -> str | None:
    """Return the very popular name that `name` probably meant, or None.

    A name that is itself popular, a known neighbour of one, or in the table as a distribution is
    never a slip. Of two names of one family (`pytest-cov`, `pytest-env`) only what differs counts.
    """
    key = canonicalize_name(name)
    names = popular()
    if key in names or key in known() or key in neighbours():
        return None
    best: tuple[int, str] | None = None
    for other in names:
        if abs(len(other) - len(key)) > 2 or _is_variant(key, other):
            continue
        one, wanted = _without_family(key, other)
        longest = max(len(one), len(wanted))
        if longest < _ONE_LETTER:
            continue
        allowed = 2 if longest >= _TWO_LETTERS else 1
        steps = distance(one, wanted, allowed)
        if steps <= allowed and (best is None or (steps, other) < best):
            best = steps, other
    return best[1] if best else None


def _without_family(one: str, other: str) -> tuple[str, str]:
    """Return both names without the leading words they share."""
    left, right = one.split("-"), other.split("-")
    while len(left) > 1 and len(right) > 1 and left[0] == right[0]:
        left, right = left[1:], right[1:]
    return "-".join(left), "-".join(right)


def _is_variant(key: str, other: str) -> bool:
    """Tell a family name from a slip: `types-x`, `pandas2`, `py-x` are made on purpose."""
    if key.rstrip("0123456789") == other.rstrip("0123456789"):
        return True
    return any(key in (f"{start}{other}", other.removeprefix(start)) for start in ("py", "py-"))


def distance(one: str, other: str, limit: int) -> int:
    """Return how many letters were left out, added, changed or swapped; above `limit` any number.

    The optimal string alignment distance: a swap of neighbours counts once.
    """
    if one == other:
        return 0
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        two_before, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
