# sluice_plugin(NAME SOURCES … [SCHEMAS …] [PKG …] [LIBS …] [TESTS …] [LIVE_TESTS …])
#
# Builds NAME.so from the sources: hidden symbols, one export, no undefined symbols. It works the same inside the
# project and in a plugin of your own (find_package(sluice_plugin) brings this file).
#   SCHEMAS   JSON files that are compiled in: schema.json becomes `extern const char schema_json[]`
#   PKG       pkg-config packages; when one is missing, the plugin is left out with a line that says so
#   LIBS      targets or libraries to link
#   TESTS     tests/NAME_test.cc, without network (Catch2); LIVE_TESTS get the label "live"
include_guard(GLOBAL)
set(SLUICE_PLUGIN_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR} CACHE INTERNAL "where plugin.map and embed.cmake are")

function(sluice_plugin NAME)
  cmake_parse_arguments(P "" "" "SOURCES;SCHEMAS;PKG;LIBS;TESTS;LIVE_TESTS" ${ARGN})

  set(found_libs)
  foreach(package IN LISTS P_PKG)
    find_package(PkgConfig REQUIRED)
    string(MAKE_C_IDENTIFIER "SLUICE_PKG_${package}" id)
    pkg_check_modules(${id} QUIET IMPORTED_TARGET ${package})
    if(NOT ${id}_FOUND)
      message(STATUS "plugin ${NAME}: skipped, library '${package}' is missing")
      set_property(GLOBAL APPEND PROPERTY SLUICE_SKIPPED_PLUGINS "${NAME} (${package})")
      return()
    endif()
    list(APPEND found_libs PkgConfig::${id})
  endforeach()

  set(generated)
  foreach(schema IN LISTS P_SCHEMAS)
    get_filename_component(stem ${schema} NAME)
    string(MAKE_C_IDENTIFIER ${stem} symbol)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.c)
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_CURRENT_SOURCE_DIR}/${schema} -DOUT=${out} -DSYMBOL=${symbol}
              -P ${SLUICE_PLUGIN_CMAKE_DIR}/embed.cmake
      DEPENDS ${schema} ${SLUICE_PLUGIN_CMAKE_DIR}/embed.cmake VERBATIM)
    list(APPEND generated ${out})
  endforeach()

  # One object library serves the module and its tests, so nothing is compiled twice.
  add_library(${NAME}_objects OBJECT ${P_SOURCES} ${generated})
  target_link_libraries(${NAME}_objects PUBLIC sluice::plugin_api ${found_libs} ${P_LIBS})
  target_include_directories(${NAME}_objects PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  set_target_properties(${NAME}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(${NAME}_objects PUBLIC cxx_std_20)

  add_library(${NAME} MODULE $<TARGET_OBJECTS:${NAME}_objects>)
  target_link_libraries(${NAME} PRIVATE ${found_libs} ${P_LIBS})
  set_target_properties(${NAME} PROPERTIES PREFIX "" LINKER_LANGUAGE CXX)
  if(SLUICE_PLUGIN_DIR)
    set_target_properties(${NAME} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${SLUICE_PLUGIN_DIR})
  endif()
  target_link_options(${NAME} PRIVATE
    -Wl,--version-script=${SLUICE_PLUGIN_CMAKE_DIR}/plugin.map -Wl,--exclude-libs,ALL)
  if(NOT SLUICE_SANITIZE)
    target_link_options(${NAME} PRIVATE -Wl,-z,defs)
  endif()
  if(DEFINED CMAKE_INSTALL_LIBDIR AND NOT SLUICE_PLUGIN_NO_INSTALL)
    install(TARGETS ${NAME} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sluice/plugins)
  endif()

  if(SLUICE_TESTS)
    foreach(test IN LISTS P_TESTS P_LIVE_TESTS)
      if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/tests/${test}_test.cc)
        message(WARNING "plugin ${NAME}: tests/${test}_test.cc does not exist")
      elseif(COMMAND sluice_plugin_test)
        sluice_plugin_test(${NAME} ${test})
        if(test IN_LIST P_LIVE_TESTS)
          set_property(TEST ${NAME}.${test} APPEND PROPERTY LABELS live)
        else()
          set_property(TEST ${NAME}.${test} APPEND PROPERTY LABELS unit)
        endif()
      endif()
    endforeach()
  endif()
endfunction()
