"""Names: which distribution an import name belongs to, and which name was probably meant.

The table and the list are our own, written for this project from common knowledge and under its
licence (BSD-3-Clause); a spelling aid, no judgement about any package. In the table one pair per
word, `module:distribution`, or one name for both; the distribution is the one most people mean. A
slip of the pen is a name that is one or two letters away from a very popular one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from packaging.utils import canonicalize_name

_PAIRS: Final = """
absl:absl-py accelerate adodbapi:pywin32 aesara afinn agate aiohttp-cors airflow:apache-airflow
albumentations alembic alibi allel:scikit-allel anndata annoy antlr4:antlr4-python3-runtime
ants:antspyx apache-beam apiclient:google-api-python-client AppKit:pyobjc-framework-Cocoa
apscheduler:APScheduler arch argon2:argon2-cffi asciimatics ase asn1crypto astroquery attr:attrs
attrs autogluon axe-selenium-python azure.cosmos:azure-cosmos azure.identity:azure-identity
azure.keyvault:azure-keyvault azure.storage.blob:azure-storage-blob babel:Babel backports.zoneinfo
bayes_opt:bayesian-optimization bidi:python-bidi binance:python-binance Bio:biopython bitsandbytes
bluetooth:PyBluez bokeh bpy bs4:beautifulsoup4 bson:pymongo cairo:pycairo cairosvg:CairoSVG
can:python-can cantera cartopy:Cartopy casadi cassandra:cassandra-driver category-encoders causalml
cdsapi cellpose cfgrib cftime chaospy charset-normalizer chromadb cirq clang:libclang
clickhouse-connect clickhouse-driver clip:openai-clip cloudinary clr:pythonnet coinbase colorama
comet-ml community:python-louvain configargparse:ConfigArgParse consul:python-consul contextily
control CoolProp corsheaders:django-cors-headers couchdb:CouchDB cplex cpuinfo:py-cpuinfo
crispy_forms:django-crispy-forms cron-descriptor crontab:python-crontab Crypto:pycryptodome
Cryptodome:pycryptodomex cs50 cv2:opencv-python cv:opencv-python cx_Oracle Cython daal4py
dash-bootstrap-components dash_core_components:dash dash_html_components:dash
databricks:databricks-sdk dateparser dateutil:python-dateutil ddtrace deap
debug_toolbar:django-debug-toolbar dedalus delta:delta-spark deltalake demjson3 dicom:pydicom
discord:discord.py django-extensions django_filters:django-filter dlib dns:dnspython docker docopt
docx2txt docx:python-docx docxtpl dolfinx:fenics-dolfinx dotenv:python-dotenv dotmap dowhy drf-yasg
dropbox duckduckgo-search dvc dwave:dwave-ocean-sdk dxfgrabber earthpy ebooklib:EbookLib econml
edge-tts ee:earthengine-api eeglabio efficientnet-pytorch elftools:pyelftools eli5 emcee
en-core-web-sm enchant:pyenchant engineio:python-engineio environ:django-environ esmpy evdev
exifread:ExifRead eyed3:eyeD3 face-recognition facebook-business fairseq faiss:faiss-cpu falcon
fancyimpute fastparquet fasttext feature-engine feedparser ffmpeg:ffmpeg-python fhirclient fiftyone
filetype fipy:FiPy fire firebase-admin fitz:PyMuPDF flask_admin:Flask-Admin flask_babel:Flask-Babel
flask_bcrypt:Flask-Bcrypt flask_caching:Flask-Caching flask_cors:Flask-Cors
flask_jwt_extended:Flask-JWT-Extended flask_limiter:Flask-Limiter flask_login:Flask-Login
flask_mail:Flask-Mail flask_migrate:Flask-Migrate flask_restful:Flask-RESTful flask-restx
flask_script:Flask-Script flask_session:Flask-Session flask_socketio:Flask-SocketIO
flask_sqlalchemy:Flask-SQLAlchemy flask_wtf:Flask-WTF fluent:fluent-logger flwr fontTools:fonttools
forex-python Foundation:pyobjc-framework-Cocoa fpdf:fpdf2 freetype:freetype-py fuzzywuzzy galpy
gdal:GDAL geemap gempy geoviews gevent gi:PyGObject git:GitPython github:PyGithub
gitlab:python-gitlab gluonnlp gluonts gmpy2 gmsh gnupg:python-gnupg goatools
google.api_core:google-api-core google.auth:google-auth
google.cloud.aiplatform:google-cloud-aiplatform google.cloud.bigquery:google-cloud-bigquery
google.cloud.firestore:google-cloud-firestore google.cloud.pubsub:google-cloud-pubsub
google.cloud.pubsub_v1:google-cloud-pubsub google.cloud.secretmanager:google-cloud-secret-manager
google.cloud.speech:google-cloud-speech google.cloud.storage:google-cloud-storage
google.cloud.translate:google-cloud-translate google.cloud.vision:google-cloud-vision
google.genai:google-genai google.generativeai:google-generativeai google.oauth2:google-auth
google.protobuf:protobuf google-auth-oauthlib googleapiclient:google-api-python-client googlemaps
googlesearch:googlesearch-python googletrans graph-tool graphql:graphql-core gridfs:pymongo
grpc:grpcio grpc_tools:grpcio-tools gseapy gtts:gTTS gurobipy haystack:haystack-ai hdbscan healpy
highspy hmmlearn hnswlib html2text html5lib htmlmin HTSeq hydra:hydra-core hyperopt icalendar ics
igraph ijson imagehash:ImageHash imblearn:imbalanced-learn impala:impyla implicit imutils
influxdb-client interpret intervaltree ipyleaflet ipympl IPython:ipython ipywidgets
iris:scitools-iris itk jaeger-client jinja2:Jinja2 jira jnius:pyjnius jose:python-jose jpype1:JPype1
jpype:JPype1 jsonpath-ng jsonpath-rw jupyter-client jupyter-core jupyter-server jupyterlab-widgets
jwcrypto jwt:PyJWT kafka:kafka-python kaggle kazoo keras-tuner kerastuner:keras-tuner kivy:Kivy
kiwipiepy kmodes konlpy langchain-community langchain-core langchain-openai langchain-text-splitters
langid lasio ldap3 ldap:python-ldap leafmap Levenshtein libarchive:libarchive-c libpysal librosa
libtorrent lifelines lightfm lightkurve lightning_fabric:lightning lime linear-operator linearmodels
llama_cpp:llama-cpp-python llama-index lpips ludwig lxml-html-clean lz4 lzo:python-lzo madmom
magic:python-magic mako:Mako mapbox mapclassify mapie:MAPIE markdown2 markdown:Markdown
markdown_it:markdown-it-py markdownify markupsafe:MarkupSafe mcp MDAnalysis mdtraj
MeCab:mecab-python3 mediapipe memcache:python-memcached memory-profiler meshio metaflow metpy:MetPy
mido milvus:pymilvus minio mip missingno mistralai mne mnist monai moviepy mpi4py mpl-finance
mpl_toolkits:matplotlib mplfinance msgpack-numpy mujoco-py music21 mutagen mwparserfromhell
mysql:mysql-connector-python MySQLdb:mysqlclient nacl:PyNaCl nbclient neo4j neptune nest-asyncio
netaddr netCDF4 netmiko networkx newspaper:newspaper3k nibabel nltk nmap:python-nmap notion-client
numpy-financial nvidia_smi:nvidia-ml-py oauth2client obspy OCC:pythonocc-core odf:odfpy
office365:Office365-REST-Python-Client ogr:GDAL olefile openbabel:openbabel-wheel OpenEXR
OpenGL:PyOpenGL openid:python3-openid OpenImageIO openmm:OpenMM openslide:openslide-python
OpenSSL:pyOpenSSL ortools osgeo:GDAL osmium osmnx paho:paho-mqtt pandas-datareader pandas-gbq
pandas_profiling:ydata-profiling pandas-ta pandocfilters parmed:ParmEd parse-type past:future
pdf2image pdfkit pdfminer:pdfminer.six pdfplumber peft pennylane:PennyLane pg8000 phonenumbers
photutils picamera PIL:Pillow pinecone pint:Pint pip-audit pkg_resources:setuptools
pl_bolts:lightning-bolts plaid:plaid-python playwright plotly-express pmdarima
poppler:python-poppler powerlaw pptx:python-pptx prettytable prometheus-client prompt-toolkit psi4
psycopg2:psycopg2-binary psycopg pulsar:pulsar-client pvlib pwn:pwntools py7zr pyart:arm-pyart
pyasn1-modules pyaudio:PyAudio pyautogui:PyAutoGUI pyBigWig pycocotools pycurl pydantic-settings
pydicom pydot pydrive2:PyDrive2 pydrive:PyDrive pydub pyfftw:pyFFTW pygmt pyhdf
PyInstaller:pyinstaller pyjnius pykalman pylab:matplotlib pyLDAvis pymatgen pymunk pymupdf:PyMuPDF
pyngrok pynput pynvml:nvidia-ml-py pyod pyodbc pyomo:Pyomo pyowm pypandoc PyPDF2 pypdf pyperclip
pyproj PyQt5 PyQt6 pyrebase:Pyrebase4 Pyro4 Pyro5 pyrogram:Pyrogram pysal pysam pyscf PySide2
PySide6 pyspark pystray pytesseract pythoncom:pywin32 pytorch3d pytorch-lightning
pytorch-metric-learning pyttsx3 pytube pyvista pywintypes:pywin32 pywt:PyWavelets pyximport:Cython
qdrant-client qiskit-aer qrcode quandl:Quandl Quartz:pyobjc-framework-Quartz qutip radon
ranger:ranger-fm rapidfuzz rasa rasterstats ratelimit rdkit readability:readability-lxml
rediscluster:redis-py-cluster regex reportlab requests-html requests-oauthlib requests-toolbelt
rest_framework:djangorestframework rest_framework_simplejwt:djangorestframework-simplejwt rfc3986
rioxarray river robot:robotframework rospkg rpy2 rsa rtree:Rtree ruamel.yaml ruamel:ruamel.yaml
ruptures sacrebleu sagemaker SALib scanpy scikitplot:scikit-plot scikits.odes scipy-stubs
scrapy:Scrapy screeninfo scvi:scvi-tools sdv segmentation-models-pytorch segyio semantic-kernel
sentence-transformers sentry-sdk serial:pyserial serpapi:google-search-results setuptools-scm shap
shapefile:pyshp SimpleITK sip:PyQt5-sip siphon skbio:scikit-bio skfem:scikit-fem
skfuzzy:scikit-fuzzy skimage:scikit-image sklearn:scikit-learn sklearn-crfsuite skmisc:scikit-misc
skmultilearn:scikit-multilearn skopt:scikit-optimize skorch skrf:scikit-rf sksurv:scikit-survival
sktime slack:slackclient slack-bolt slack-sdk slugify:python-slugify slycot
smartsheet:smartsheet-python-sdk snappy:python-snappy snowflake.connector:snowflake-connector-python
snowflake:snowflake-connector-python socketio:python-socketio socks:PySocks sounddevice soundfile
spacy SPARQLWrapper:sparqlwrapper speech_recognition:SpeechRecognition sphinx-rtd-theme spotipy
sqlalchemy:SQLAlchemy sqlalchemy_utils:SQLAlchemy-Utils sqlmodel stable-baselines3 stanza stim
stripe sumy sunpy supabase surprise:scikit-surprise svgwrite swiglpk ta tables tabula:tabula-py
tabulate talib:TA-Lib tblib telebot:pyTelegramBotAPI telegram:python-telegram-bot telethon:Telethon
tensorboardX tensorflow-addons tensorflow-datasets tensorflow-hub tensorflow-probability
tensorflow-text termcolor terminaltables textract tflite-runtime tgcrypto:TgCrypto thinc tkcalendar
tkinterdnd2 tlz:toolz torch-cluster torch-geometric torch-scatter torch-sparse torchsummary
torchvision tqdm tree-sitter trimesh ttkthemes tweepy twilio twisted:Twisted twitter:python-twitter
TwitterAPI typing-extensions typing-inspect tzlocal umap:umap-learn umsgpack:u-msgpack-python
uncertainties undetected-chromedriver unidecode:Unidecode unstructured upsetplot:UpSetPlot urllib3
usb:pyusb uvicorn vaderSentiment validators vcf:PyVCF3 vlc:python-vlc vobject voluptuous vtk wandb
weasyprint weaviate:weaviate-client webdriver-manager websocket:websocket-client webview:pywebview
werkzeug:Werkzeug whisper:openai-whisper whoosh:Whoosh wikipediaapi:Wikipedia-API win32api:pywin32
win32com:pywin32 win32con:pywin32 win32gui:pywin32 wordcloud wx:wxPython xarray xdg:pyxdg xesmf
xgboost Xlib:python-xlib xlsxwriter:XlsxWriter xlwings xmlschema xmltodict yacs yaml:PyYAML yfinance
youtube-dl youtube-transcript-api yt yt-dlp zeep zmq:pyzmq zope.interface zstandard zstd
"""


@cache
def table() -> Mapping[str, str]:
    """Return the whole table, import name -> distribution name."""
    return dict(map(_pair, _PAIRS.split()))


def _pair(word: str) -> tuple[str, str]:
    """Return module and distribution of one word of the table; a module has no `-` in its name."""
    module, colon, distribution = word.partition(":")
    return (module, distribution) if colon else (word.replace("-", "_"), word)


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
    if key in popular() | known() | neighbours():
        return None
    best: tuple[int, str] | None = None
    for other in popular():
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
