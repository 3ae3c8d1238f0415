"""Azure resource ids: a scale set, its Uniform instances, and virtual machines (contract: Ids)."""

import re
from typing import Final, NamedTuple

_GROUP: Final = r"/?subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.compute/"
_SET: Final = re.compile(rf"(?P<set>{_GROUP}virtualmachinescalesets/[^/]+)(?:/virtualmachines/(?P<instance>[^/]+))?/?")
_MACHINE: Final = re.compile(rf"(?P<machine>{_GROUP}virtualmachines/(?P<name>[^/]+))/?")


class Place(NamedTuple):
    """Where an event belongs: a scale set, and one of its instances or (None) the set itself; case-folded."""

    scale_set_id: str
    instance_id: str | None


class VirtualMachine(NamedTuple):
    """A virtual machine whose scale set only an inventory knows; case-folded."""

    vm_id: str
    name: str


def parse_resource(resource_id: str) -> Place | VirtualMachine | None:
    """What a resource id names; None if it is neither a scale set, nor an instance of one, nor a virtual machine.

    >>> group = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/"
    >>> parse_resource(group + "virtualMachineScaleSets/N/virtualMachines/3").instance_id
    '3'
    """
    folded = resource_id.casefold()
    if match := _SET.fullmatch(folded):
        return Place(_rooted(match["set"]), match["instance"])
    if match := _MACHINE.fullmatch(folded):
        return VirtualMachine(_rooted(match["machine"]), match["name"])
    return None


def _rooted(resource_id: str) -> str:
    return resource_id if resource_id.startswith("/") else "/" + resource_id
