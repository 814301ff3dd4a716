"""Downloads of TensorFlow Datasets, given up soon where no host answers."""

import functools
import socket
import sys
from urllib.parse import urlsplit
from urllib.request import getproxies
from urllib.request import proxy_bypass

_PORTS = {"http": 80, "https": 443}
_SOCKS_PORT = 1080
_PROBE_SECONDS = 3


def download_and_prepare(builder, manual_dir):
    """Downloads and prepares a data set of TFDS.

    Args:
        builder: A TFDS builder.
        manual_dir: Folder with files that need no download, or `None`.

    Raises:
        ConnectionError: If a host cannot be reached.
    """
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    unreachable = _probe_before_downloads(builder)
    config = tfds.download.DownloadConfig(
        manual_dir=manual_dir, try_download_gcs=False
    )
    try:
        builder.download_and_prepare(download_config=config)
    except ConnectionError as error:
        if not unreachable:
            raise
        message = _explain_unreachable(builder, unreachable, manual_dir)
        raise ConnectionError(message) from error


def probe_host(scheme, host):
    """Tries a connection to a host, or to the proxy on the way to it.

    Args:
        scheme: Scheme of a URL; other than HTTP(S) is not tried.
        host: Host of a URL, which may end in a port.

    Returns:
        The error of the connection, or `None`.
    """
    if scheme not in _PORTS:
        return None
    url = f"{scheme}://{host}"
    if not proxy_bypass(host):
        url = getproxies().get(scheme, url)
    address = urlsplit(url if "://" in url else f"http://{url}")
    port = address.port or _PORTS.get(address.scheme, _SOCKS_PORT)
    try:
        socket.create_connection(
            (address.hostname, port), timeout=_PROBE_SECONDS
        ).close()
    except OSError as error:
        return ConnectionError(f"{host}: {error}")
    return None


def _probe_before_downloads(builder):
    """Has TFDS ask each host once before it downloads from there.

    TFDS on its own retries for minutes where there is no network. Hosts of
    files that are cached or in `manual_dir` are not asked.

    Args:
        builder: A TFDS builder, whose download manager is wrapped.

    Returns:
        A list that the download fills with the URLs out of reach.
    """
    import promise

    make_manager = builder._make_download_manager
    probe = functools.cache(probe_host)
    unreachable = []

    def make_probing_manager(**kwargs):
        manager = make_manager(**kwargs)
        download = manager._download

        def probe_and_download(resource):
            url = urlsplit(resource.url)
            error = probe(url.scheme, url.netloc)
            if error is None:
                return download(resource)
            unreachable.append(resource.url)
            return promise.Promise.reject(error)

        manager._download = probe_and_download
        return manager

    builder._make_download_manager = make_probing_manager
    return unreachable


def _explain_unreachable(builder, urls, manual_dir):
    url_infos = builder.url_infos or {}
    names = [url_infos[url].filename for url in urls if url in url_infos]
    hosts = sorted({urlsplit(url).netloc for url in urls})
    manual = f" or `manual_dir`, a folder with {names}" if names else ""
    return (
        f"`{builder.info.full_name}` is not prepared and {hosts} cannot be "
        "reached to download it. Pass `data_dir`, a folder where TensorFlow "
        f"Datasets prepared it before{manual}. "
        f"Received: data_dir={str(builder.data_dir_root)!r}, "
        f"manual_dir={manual_dir!r}"
    )
