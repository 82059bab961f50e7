# find_package(sluice_plugin): the headers as sluice::plugin_api, and the function sluice_plugin().
include(${CMAKE_CURRENT_LIST_DIR}/sluice_plugin-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SluicePlugin.cmake)
