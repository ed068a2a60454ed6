"""Which variables of the shell a process runs with: natively the same as in a container.

A result follows from parameters and data alone. GDAL, PROJ, TensorFlow, Keras, oneDNN, matplotlib, MLflow and the
libraries of the clouds read many variables by themselves. All of these are set aside before the first of them is
imported, but for those that this module names.
"""

from __future__ import annotations

import os
import re

from stages.common import settings

GDAL = (
    r"(GDAL_|CPL_|VSI_|VSICURL_|VSIS3_|OGR_|OSR_|GTIFF_|PROJ_|PYPROJ_|PYOGRIO_|RIO_|JP2OPENJPEG_|OPJ_|GPKG_|SQLITE_).+"
    r"|GDALWARP_.+|SHAPE_(ENCODING|REWIND_.+|RESTORE_.+|2GB_LIMIT)|TIFF_USE_.+|VRT_(SHARED|VIRTUAL)_.+|.+_OVERVIEW"
    r"|CENTER_LONG|CHECK_DISK_FREE_SPACE|CHECK_WITH_INVERT_PROJ|COG_(DELETE|TMP)_.+|CONVERT_YCBCR_TO_RGB|ESRI_XML_PAM"
    r"|ATTRIBUTES_SKIP|USE_RRD|JPEGMEM"
)
"""Names that GDAL, PROJ and their Python packages read, as far as they concern the formats of this project."""

LEARNING = (
    r"(TF_|KERAS_|XLA_|ONEDNN_|DNNL_|OMP_|KMP_|GOMP_|MKL_|CUDNN_|CUBLAS_|NVIDIA_TF32_|ORT_|OV_|OPENVINO_|OPENBLAS_"
    r"|GOTO_|NPY_).+"
)
"""Names that TensorFlow, Keras, oneDNN, OpenMP, XLA, CUDA's libraries, ONNX Runtime, OpenVINO and NumPy read. Among
them: the instruction set, the precision of products, the number of threads, fused operations, the backend, a bound on
epochs."""

HARMLESS = r"(TF_CPP_|TF_FORCE_GPU_ALLOW_GROWTH|TF_GPU_ALLOCATOR|TF_CLI_|TF_VAR_|TF_PLUGIN_).*"
"""Those among them that are left as they are: logging, the GPU's memory, and variables of Terraform."""

PICTURES = r"MPLBACKEND|MATPLOTLIBRC"
TRACKING = r"MLFLOW_.+"
CLOUD = r"(AWS_|AZURE_|GS_|GOOGLE_|OSS_|SWIFT_).+"
"""Names that GDAL, MLflow and DVC read to log in to a cloud."""

REPOSITORY = (
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|GRAFT_FILE"
    r"|SHALLOW_FILE|REPLACE_REF_BASE)"
)
"""Names that make git and DVC work on another repository than that of the folder: a hook of git sets some of them, and
a champion would be committed and tagged elsewhere."""

DVC = (
    r"DVC_(?!((NO_ANALYTICS|ANALYTICS_ENDPOINT|UPDATER_ENDPOINT|STUDIO_.+)|(SITE_CACHE|GLOBAL_CONFIG|SYSTEM_CONFIG)_DIR)$)"
    r".+"
)
"""Names that DVC reads, but for those that say where something is or log in: another repository, stage or experiment,
a push after each experiment, prints of its database among the answers that commands read."""

RUN_BY_DVC = "docker/run"
"""The one command that DVC itself calls: it needs what DVC says of the stage."""

PROXIES = (
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GDAL_CURL_CA_BUNDLE",
                "PROJ_CURL_CA_BUNDLE")  # fmt: skip
GDAL_PROXIES = ("GDAL_HTTP_PROXY", "GDAL_HTTPS_PROXY", "GDAL_HTTP_PROXYUSERPWD", "GDAL_PROXY_AUTH")
TRACKING_CERTIFICATES = ("MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH", "AWS_CA_BUNDLE")

NETWORK = (*PROXIES, *GDAL_PROXIES, *CERTIFICATES)
"""How the network is reached. They change no result, and stay as they are also where nothing is fetched."""

FILES = (*CERTIFICATES, *TRACKING_CERTIFICATES)
"""Variables whose value is a file or a folder, which a container must also see."""

NEEDED = {
    "ingest": NETWORK,
    "track": (
        *NETWORK, *TRACKING_CERTIFICATES, *settings.MLFLOW_CREDENTIALS,
        settings.TRACKING_URI, *settings.MLFLOW_LIMITS,
        "MLFLOW_TRACKING_INSECURE_TLS", "MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4",
        "MLFLOW_S3_ENDPOINT_URL", "MLFLOW_S3_IGNORE_TLS", "MLFLOW_S3_UPLOAD_EXTRA_ARGS",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
        "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ),
}  # fmt: skip
"""Variables that the two stages with a network may read: where proxies and certificates are, and how to log in."""

NEEDED_SOMEWHERE = {*NEEDED["ingest"], *NEEDED["track"]}

WRITTEN_BY_LIBRARIES = ("MLFLOW_REGISTRY_URI", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "ORT_DISABLE_TELEMETRY")
"""Variables that MLflow, scikit-learn and the inference of this project write into the environment of a process, and so
into that of its children."""

DECIDED = {
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "GDAL_CONFIG_FILE": os.devnull,  # else ~/.gdal/gdalrc
    "PROJ_NETWORK": "OFF",
    "PROJ_SKIP_READ_USER_WRITABLE_DIRECTORY": "ON",  # grids that another program has fetched into the user's folder
}
"""Values that every process runs with."""

DECIDED_FOR = {"prepare": {"OPENBLAS_NUM_THREADS": "1"}}
"""Values that a single stage runs with. `prepare` multiplies small matrices, some thousands of times: threads would
wait for each other most of the time. The bits are the same."""


def foreign(name: str, *, command: bool = False) -> list[str]:
    """Return the variables of the shell that a stage called `name` does not run with.

    A `command` calls DVC, git and stages, which need what logs in to a cloud or to a tracking server.
    """
    decided = DECIDED | DECIDED_FOR.get(name, {})
    by_kind = ([] if name == RUN_BY_DVC else [DVC]) if command else [CLOUD]
    families = [GDAL, LEARNING, PICTURES, TRACKING, REPOSITORY, *by_kind]
    needed = {*(NEEDED_SOMEWHERE if command else (*NETWORK, *NEEDED.get(name, ()))), *settings.MLFLOW_QUIET}
    return [
        variable
        for variable, value in sorted(os.environ.items())
        if re.fullmatch("|".join(families), variable) and not re.fullmatch(HARMLESS, variable)
        if variable not in needed and decided.get(variable) != value
    ]


def set_aside(name: str, *, command: bool = False) -> list[str]:
    """Remove from the environment what `foreign` names, set what is decided, and return the names of the removed.

    What another stage needs or runs with, or a library itself has written, is removed without a word: a login of DVC or
    of a tracking server is no mistake.
    """
    removed = {variable: os.environ.pop(variable) for variable in foreign(name, command=command)}
    os.environ.update(DECIDED | DECIDED_FOR.get(name, {}))
    decided = {setting for values in DECIDED_FOR.values() for setting in values.items()}
    expected = {*NEEDED_SOMEWHERE, *WRITTEN_BY_LIBRARIES}
    return [
        variable for variable, value in removed.items() if not (variable in expected or (variable, value) in decided)
    ]
