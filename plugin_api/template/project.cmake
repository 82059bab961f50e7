# Builds @NAME@.so, alone (find_package finds the installed Sluice) or as a folder of Sluice's own plugins/.
cmake_minimum_required(VERSION 3.25)
if(NOT COMMAND sluice_plugin)
  project(@NAME@ LANGUAGES C CXX)
  find_package(sluice_plugin REQUIRED)
endif()
sluice_plugin(@NAME@ SOURCES plugin.cc SCHEMAS schema.json)
