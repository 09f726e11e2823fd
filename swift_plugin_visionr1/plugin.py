"""The file for `--external_plugins "$(vision-r1 plugin-path)"`, for when the plugin cannot register
itself (autoload.py).

ms-swift loads it by path, again in every worker of its data loaders: the import is absolute.
"""

from swift_plugin_visionr1.ms_swift.autoload import install

install()
