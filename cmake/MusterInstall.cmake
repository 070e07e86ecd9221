# What `cmake --install` puts where, by component: server, agent, console. Everything is made by the build, so that an
# installation compiles nothing and can be told a prefix of its own.

include(GNUInstallDirs)
set(muster_docs "${CMAKE_INSTALL_DATADIR}/doc/muster")

# muster_output(FILE program words...)
# FILE (in the build tree) becomes what the program prints: examples and completions cannot disagree with it.
function(muster_output file program)
  cmake_path(GET file PARENT_PATH folder)
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(
    OUTPUT "${file}"
    COMMAND ${program} ${ARGN} > "${file}.new"
    COMMAND "${CMAKE_COMMAND}" -E rename "${file}.new" "${file}"
    DEPENDS ${program}
    COMMENT "Asking ${program} for ${ARGN}"
    VERBATIM)
endfunction()

# muster_unit(COMPONENT template)
# FOLDER/NAME.service.in becomes lib/systemd/system/NAME.service below the prefix, which is known only when installing.
# Where an operator's units go (/etc/systemd/system) nothing is ever written.
function(muster_unit component template)
  cmake_path(GET template STEM LAST_ONLY name)
  install(CODE "
    set(MUSTER_BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    set(MUSTER_DOCDIR \"\${CMAKE_INSTALL_PREFIX}/${muster_docs}\")
    set(unit \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/${name}\")
    message(STATUS \"Installing: \$ENV{DESTDIR}\${unit}\")
    configure_file(\"${CMAKE_CURRENT_SOURCE_DIR}/${template}\" \"\$ENV{DESTDIR}\${unit}\" @ONLY)
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${unit}\")"
    COMPONENT ${component})
endfunction()

# muster_install_daemon(COMPONENT program)
# The program, its unit, its manual and its example settings.
function(muster_install_daemon component program)
  set(example "${PROJECT_BINARY_DIR}/examples/${component}.toml")
  muster_output("${example}" ${program} example-config)
  add_custom_target(${component}_example ALL DEPENDS "${example}")
  install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${component})
  install(FILES "${example}" DESTINATION "${muster_docs}/examples" COMPONENT ${component})
  install(FILES "${PROJECT_SOURCE_DIR}/docs/${component}.md" "${PROJECT_SOURCE_DIR}/docs/install.md"
    DESTINATION "${muster_docs}" COMPONENT ${component})
  muster_unit(${component} "${component}/${program}.service.in")
endfunction()

# muster_install_console(program)
# The program, its manuals, and what shells complete it by.
function(muster_install_console program)
  set(scripts)
  install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT console)
  install(FILES "${PROJECT_SOURCE_DIR}/docs/console.md" "${PROJECT_SOURCE_DIR}/docs/api.md"
    DESTINATION "${muster_docs}" COMPONENT console)
  foreach(place "bash bash-completion/completions/${program}" "zsh zsh/site-functions/_${program}"
                "fish fish/vendor_completions.d/${program}.fish")
    separate_arguments(place)
    list(GET place 0 shell)
    list(GET place 1 where)
    set(script "${PROJECT_BINARY_DIR}/completions/${where}")
    muster_output("${script}" ${program} completion ${shell})
    list(APPEND scripts "${script}")
    cmake_path(GET where PARENT_PATH folder)
    install(FILES "${script}" DESTINATION "${CMAKE_INSTALL_DATADIR}/${folder}" COMPONENT console)
  endforeach()
  add_custom_target(console_completions ALL DEPENDS ${scripts})
endfunction()
