# What `cmake --install` puts beside the program (fx/CMakeLists.txt has that, its man page and its
# completions), and the Debian package that `cpack` makes of all of it.
include(GNUInstallDirs)
set(deploy ${PROJECT_SOURCE_DIR}/scripts/deploy)

# The units name the program where it is installed, which is known only then.
foreach(role aggregator collaborator)
  set(unit ${PROJECT_BINARY_DIR}/fx-${role}@.service)
  install(CODE "
    set(fx \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/fx\")
    configure_file(\"${deploy}/systemd/fx-${role}@.service.in\" \"${unit}\" @ONLY)")
  install(FILES ${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES ${deploy}/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(changelog ${PROJECT_BINARY_DIR}/changelog.gz)
add_custom_command(OUTPUT ${changelog}
  COMMAND gzip -9nc ${deploy}/debian/changelog > ${changelog}
  DEPENDS ${deploy}/debian/changelog VERBATIM)
add_custom_target(fx_changelog ALL DEPENDS ${changelog})
install(FILES ${changelog} DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fx)
set(CPACK_PACKAGE_VENDOR "the fx authors")
set(CPACK_PACKAGE_CONTACT "the fx authors <fx@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "federated learning: several sites train one model")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Several sites train one model together, and each keeps its data where it is. An
aggregator hands out a model, collaborators train it on their own data and send
back weights, and the aggregator averages them into the next model. A successor
of OpenFL, with its commands, options, files and plans.
.
The package has systemd units for both roles: fx-aggregator@.service and
fx-collaborator@.service.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${deploy}/debian/postinst ${deploy}/debian/prerm ${deploy}/debian/postrm)
include(CPack)
