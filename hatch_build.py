"""What goes into the package beside its modules: autoload.pth, into site-packages, in wheels and
editable installs alike (see ms_swift/autoload.py); and in wheels the recipes (see shipped.py)."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PackageHook(BuildHookInterface):
    def initialize(self, version, build_data):
        editable = version == "editable"
        included = build_data["force_include_editable" if editable else "force_include"]
        included["swift_plugin_visionr1/ms_swift/autoload.pth"] = (
            "swift_plugin_visionr1_autoload.pth"
        )
        for path in () if editable else sorted(Path(self.root, "configs").rglob("*.[yp][ay]*")):
            name = path.relative_to(self.root)
            if path.name not in ("write.py", "models.py") and "__pycache__" not in name.parts:
                included[str(name)] = f"swift_plugin_visionr1/recipes/{name}"
