"""All containers of compose.yaml and their networks, made of namespaces of Linux: there need be no Docker engine.

One namespace stands for the host and for the internet behind it. It has an address in each network and forwards
nothing, so containers reach each other within a network only. No port is published; the host reaches all.
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
    """All containers of compose.yaml but those of a profile.

    Attributes:
        services: as compose.yaml describes them.
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
        """Make networks, containers and their roots; nothing is started."""
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
        """Connect a container to a network; only some networks have a way to the internet."""
        number = self._numbers[network]
        link, peer = f"v{address.rpartition('.')[2]}-{number}", f"eth{number}"
        ip(self._host, "link", "add", link, "type", "veth", "peer", peer, "netns", str(container.holder.pid))
        ip(self._host, "link", "set", link, "master", f"bridge{number}", "up")
        ip(container, "address", "add", f"{address}/24", "dev", peer)
        ip(container, "link", "set", peer, "up")
        if leads_out(self._networks[network]):
            ip(container, "route", "add", "default", "via", f"172.30.{number}.254")

    def _hosts(self, container: Container) -> str:
        """The names that a container knows: those of its networks."""
        found = ["127.0.0.1 localhost"]
        for name, one in self.all.items():
            if "network_mode" not in one.service:
                found += [f"{at} {name}" for network, at in one.addresses.items() if network in container.addresses]
        return "\n".join(found) + "\n"

    def address(self, name: str) -> str:
        """An address of a container, for whoever is in a network of it, as the host is."""
        return next(iter(self.all[name].addresses.values()))

    def seen_from_host(self, value: str) -> str:
        """A value with addresses in the place of the names of containers."""
        return re.sub(
            r"(//|@)(\w+)(?=:)",
            lambda match: match[1] + (self.address(match[2]) if match[2] in self.all else match[2]),
            value,
        )

    def batches(self, started: Collection[str] = ()) -> list[list[Part]]:
        """The programs in the order of `depends_on`; each batch needs only those before it and the started ones."""
        done, found = set(started), list[list[Part]]()
        while left := [name for name in self.services if name not in done]:
            ready = [name for name in left if done.issuperset(self.services[name].get("depends_on", {}))]
            assert ready, f"{left} wait for each other"
            found.append([self.parts[name] for name in ready])
            done.update(ready)
        return found


@contextlib.contextmanager
def open_host() -> Iterator[Namespace]:
    """The host of the containers, and the internet behind it at its own address."""
    with held("host") as holder:
        host = Namespace(holder)
        ip(host, "link", "set", "lo", "up")
        ip(host, "address", "add", f"{INTERNET}/32", "dev", "lo")
        # A new namespace does as the one that it was made in.
        is_forwarding = "/proc/sys/net/ipv4/ip_forward"
        script = f"[ $(cat {is_forwarding}) = 0 ] || echo 0 > {is_forwarding}"
        subprocess.run(host.command(["sh", "-euc", script]), env=_TOOLS, check=True, timeout=30)
        yield host


@contextlib.contextmanager
def open_containers(composed: Mapping[str, Any], host: Namespace, directory: Path) -> Iterator[Containers]:
    """All containers, not started yet; at the end nothing of them is left.

    Args:
        composed: of `composition`.
        host: of `open_host`.
        directory: where `./` of compose.yaml is, and where logs lie; it must be empty.
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
