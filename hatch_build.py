"""Puts autoload.pth into site-packages, in wheels and in editable installs alike (see
ms_swift/autoload.py)."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AutoloadHook(BuildHookInterface):
    def initialize(self, version, build_data):
        key = "force_include_editable" if version == "editable" else "force_include"
        build_data[key]["swift_plugin_visionr1/ms_swift/autoload.pth"] = (
            "swift_plugin_visionr1_autoload.pth"
        )
