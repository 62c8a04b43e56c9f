"""All rules, in the order of their codes. Adding one means a file here, its cases, and a line below."""

from __future__ import annotations

from cachekey.rules.build_options_mount import check as build_options_mount
from cachekey.rules.cache_disabled import check as cache_disabled
from cachekey.rules.cache_emptied import check as cache_emptied
from cachekey.rules.cache_env_remote_only import check as cache_env_remote_only
from cachekey.rules.cache_lost_in_ci import check as cache_lost_in_ci
from cachekey.rules.cache_map_mismatch import check as cache_map_mismatch
from cachekey.rules.cache_mount_at_runtime import check as cache_mount_at_runtime
from cachekey.rules.cache_not_connected import check as cache_not_connected
from cachekey.rules.cache_not_writable import check as cache_not_writable
from cachekey.rules.cache_on_tmpfs import check as cache_on_tmpfs
from cachekey.rules.cache_target_mismatch import check as cache_target_mismatch
from cachekey.rules.chown_not_recursive import check as chown_not_recursive
from cachekey.rules.compose_mount_option_dropped import check as compose_mount_option_dropped
from cachekey.rules.compose_runargs_ignored import check as compose_runargs_ignored
from cachekey.rules.compose_undefined_volume import check as compose_undefined_volume
from cachekey.rules.compose_volume_project_scoped import check as compose_volume_project_scoped
from cachekey.rules.copy_from_cache import check as copy_from_cache
from cachekey.rules.default_cut_at_colon import check as default_cut_at_colon
from cachekey.rules.docker_clean import check as docker_clean
from cachekey.rules.empty_local_env import check as empty_local_env
from cachekey.rules.frozen_tools import check as frozen_tools
from cachekey.rules.home_folder_of_root import check as home_folder_of_root
from cachekey.rules.host_path_target import check as host_path_target
from cachekey.rules.host_paths_inside import check as host_paths_inside
from cachekey.rules.host_variable_in_target import check as host_variable_in_target
from cachekey.rules.ignored_owner import check as ignored_owner
from cachekey.rules.install_output_as_cache import check as install_output_as_cache
from cachekey.rules.invalid_mount import check as invalid_mount
from cachekey.rules.invalid_mount_string import check as invalid_mount_string
from cachekey.rules.json5_only import check as json5_only
from cachekey.rules.key_collision import check as key_collision
from cachekey.rules.layer_order import check as layer_order
from cachekey.rules.link_mode import check as link_mode
from cachekey.rules.literal_home import check as literal_home
from cachekey.rules.missing_bind_source import check as missing_bind_source
from cachekey.rules.missing_cache_mount import check as missing_cache_mount
from cachekey.rules.missing_dockerfile import check as missing_dockerfile
from cachekey.rules.mixed_sharing import check as mixed_sharing
from cachekey.rules.mixed_users import check as mixed_users
from cachekey.rules.mount_anonymous_volume import check as mount_anonymous_volume
from cachekey.rules.mount_duplicate_target import check as mount_duplicate_target
from cachekey.rules.mount_hides_image import check as mount_hides_image
from cachekey.rules.mount_missing_later import check as mount_missing_later
from cachekey.rules.mount_object_key_dropped import check as mount_object_key_dropped
from cachekey.rules.not_a_mount import check as not_a_mount
from cachekey.rules.owner_splits_cache import check as owner_splits_cache
from cachekey.rules.platforms_share_cache import check as platforms_share_cache
from cachekey.rules.relative_target_key import check as relative_target_key
from cachekey.rules.relied_on_cache import check as relied_on_cache
from cachekey.rules.root_owned_parent import check as root_owned_parent
from cachekey.rules.rule import Rule
from cachekey.rules.shadowed_mount import check as shadowed_mount
from cachekey.rules.shared_build_output import check as shared_build_output
from cachekey.rules.shared_project_volume import check as shared_project_volume
from cachekey.rules.split_cache import check as split_cache
from cachekey.rules.sudo_without_right import check as sudo_without_right
from cachekey.rules.undeclared_variable_in_key import check as undeclared_variable_in_key
from cachekey.rules.unlocked_cache import check as unlocked_cache
from cachekey.rules.unreadable_file import check as unreadable_file
from cachekey.rules.unset_argument_in_key import check as unset_argument_in_key
from cachekey.rules.unused_volume import check as unused_volume
from cachekey.rules.unwritable_volume import check as unwritable_volume
from cachekey.rules.variable_not_substituted import check as variable_not_substituted

ALL: tuple[Rule, ...] = (
    unreadable_file,
    split_cache,
    owner_splits_cache,
    key_collision,
    shared_build_output,
    undeclared_variable_in_key,
    platforms_share_cache,
    relative_target_key,
    mixed_sharing,
    unset_argument_in_key,
    cache_not_writable,
    mixed_users,
    ignored_owner,
    root_owned_parent,
    cache_target_mismatch,
    literal_home,
    not_a_mount,
    cache_disabled,
    cache_emptied,
    docker_clean,
    host_path_target,
    shadowed_mount,
    copy_from_cache,
    mount_missing_later,
    install_output_as_cache,
    mount_hides_image,
    relied_on_cache,
    unlocked_cache,
    link_mode,
    missing_cache_mount,
    layer_order,
    cache_lost_in_ci,
    cache_map_mismatch,
    invalid_mount,
    cache_mount_at_runtime,
    unwritable_volume,
    variable_not_substituted,
    empty_local_env,
    missing_bind_source,
    cache_not_connected,
    shared_project_volume,
    default_cut_at_colon,
    invalid_mount_string,
    missing_dockerfile,
    json5_only,
    build_options_mount,
    mount_anonymous_volume,
    mount_duplicate_target,
    mount_object_key_dropped,
    cache_env_remote_only,
    cache_on_tmpfs,
    compose_undefined_volume,
    compose_mount_option_dropped,
    compose_runargs_ignored,
    compose_volume_project_scoped,
    chown_not_recursive,
    frozen_tools,
    host_variable_in_target,
    sudo_without_right,
    unused_volume,
    host_paths_inside,
    home_folder_of_root,
)
