"""All containers of compose.yaml and their networks, made from Linux namespaces, because there may be no Docker.

One namespace is the host, and also the internet. The host has an address in each network and forwards no packets. So
containers reach each other only within a network. No port is published, but the host reaches every container.
"""

import contextlib
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.system.composition import Service, leads_out, without_profiles
from tests.system.container import KINDS, Container, ContainerPart
from tests.system.images import image_of
from tests.system.namespaces import Namespace, held, ip
from tests.system.processes import Part

INTERNET = "10.99.0.1"
_TOOLS = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class Containers:
    """All containers of compose.yaml without a profile.

    Attributes:
        services: their descriptions in compose.yaml.
        all: the containers by the names of their services.
        parts: their programs by the same names.
    """

    def __init__(self, composed: Mapping[str, Any], host: Namespace, directory: Path) -> None:
        self.services: dict[str, Service] = without_profiles(composed["services"])
        self.all: dict[str, Container] = {}
        self.parts: dict[str, ContainerPart] = {}
        self._networks: dict[str, dict[str, Any]] = composed["networks"]
        self._numbers = {name: number for number, name in enumerate(self._networks, 1)}
        self._host = host
        self._directory = directory

    def make(self, stack: contextlib.ExitStack) -> None:
        """Make the networks and the containers with their file systems; nothing is started."""
        for number in self._numbers.values():
            ip(self._host, "link", "add", "name", f"bridge{number}", "type", "bridge")
            ip(self._host, "address", "add", f"172.30.{number}.254/24", "dev", f"bridge{number}")
            ip(self._host, "link", "set", f"bridge{number}", "up")
        for name, service in self.services.items():
            self.all[name] = self._container(name, service, stack)
        for container in self.all.values():
            container.make_root(self._hosts(container))
            self.parts[container.name] = ContainerPart(container)

    def _container(self, name: str, service: Service, stack: contextlib.ExitStack) -> Container:
        other = self.all.get(str(service.get("network_mode", "")).removeprefix("service:"))
        holder = stack.enter_context(held(name, KINDS, beside=other))
        number = len(self.all) + 1
        networks = service.get("networks", [])
        addresses = {network: f"172.30.{self._numbers[network]}.{number}" for network in networks}
        addresses = other.addresses if other else addresses
        container = Container(holder, name, service, image_of(service), addresses, self._directory, kinds=KINDS)
        if other is None:
            ip(container, "link", "set", "lo", "up")
            for network, address in addresses.items():
                self._plug(container, network, address)
        return container

    def _plug(self, container: Container, network: str, address: str) -> None:
        """Connect a container to a network, and to the internet if the network leads there."""
        number = self._numbers[network]
        link, peer = f"v{address.rpartition('.')[2]}-{number}", f"eth{number}"
        ip(self._host, "link", "add", link, "type", "veth", "peer", peer, "netns", str(container.holder.pid))
        ip(self._host, "link", "set", link, "master", f"bridge{number}", "up")
        ip(container, "address", "add", f"{address}/24", "dev", peer)
        ip(container, "link", "set", peer, "up")
        if leads_out(self._networks[network]):
            ip(container, "route", "add", "default", "via", f"172.30.{number}.254")

    def _hosts(self, container: Container) -> str:
        """Return the file /etc/hosts of a container: the names of the containers in its networks."""
        found = ["127.0.0.1 localhost"]
        for name, one in self.all.items():
            if "network_mode" not in one.service:
                found += [f"{at} {name}" for network, at in one.addresses.items() if network in container.addresses]
        return "\n".join(found) + "\n"

    def address(self, name: str) -> str:
        """Return an address of a container; the host can reach all of them."""
        return next(iter(self.all[name].addresses.values()))

    def seen_from_host(self, value: str) -> str:
        """Replace the names of containers in a URL by addresses."""
        return re.sub(
            r"(//|@)(\w+)(?=:)",
            lambda match: match[1] + (self.address(match[2]) if match[2] in self.all else match[2]),
            value,
        )

    def batches(self, started: Collection[str] = ()) -> list[list[Part]]:
        """Return the programs in the order of `depends_on`; each batch needs only earlier ones and `started`."""
        done, found = set(started), list[list[Part]]()
        while left := [name for name in self.services if name not in done]:
            ready = [name for name in left if done.issuperset(self.services[name].get("depends_on", {}))]
            assert ready, f"{left} wait for each other"
            found.append([self.parts[name] for name in ready])
            done.update(ready)
        return found


@contextlib.contextmanager
def open_host() -> Iterator[Namespace]:
    """Make the host of the containers, which has the address of the internet, too."""
    with held("host") as holder:
        host = Namespace(holder)
        ip(host, "link", "set", "lo", "up")
        ip(host, "address", "add", f"{INTERNET}/32", "dev", "lo")
        # A new namespace inherits this setting.
        is_forwarding = "/proc/sys/net/ipv4/ip_forward"
        script = f"[ $(cat {is_forwarding}) = 0 ] || echo 0 > {is_forwarding}"
        subprocess.run(host.command(["sh", "-euc", script]), env=_TOOLS, check=True, timeout=30)
        yield host


@contextlib.contextmanager
def open_containers(composed: Mapping[str, Any], host: Namespace, directory: Path) -> Iterator[Containers]:
    """Make all containers without starting them; at the end of the context, remove them.

    Args:
        composed: of `composition`.
        host: of `open_host`.
        directory: the directory that compose.yaml names `./`; it must be empty and also gets the logs.
    """
    directory.chmod(0o755)
    with contextlib.ExitStack() as stack:
        made = Containers(composed, host, directory)
        made.make(stack)
        try:
            yield made
        finally:
            for part in reversed(made.parts.values()):
                part.kill()
