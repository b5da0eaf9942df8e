# `cmake --install`: libraries, headers, offheap.pc and a CMake package. Included by the root.
#
# The folder is relocatable: both the package file and offheap.pc find the rest relative to
# themselves.
include(CMakePackageConfigHelpers)
install(FILES ${offheap_include}/offheap.h ${offheap_include}/offheap.hpp
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${offheap_include}/offheap DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${offheap_static} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(PROGRAMS ${offheap_shared} DESTINATION ${CMAKE_INSTALL_LIBDIR})

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/offheap)
get_filename_component(OFFHEAP_STATIC_NAME ${offheap_static} NAME)
get_filename_component(OFFHEAP_SHARED_NAME ${offheap_shared} NAME)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/offheap-config.cmake.in ${CMAKE_BINARY_DIR}/offheap-config.cmake
  INSTALL_DESTINATION ${config_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/offheap-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/offheap-config.cmake ${CMAKE_BINARY_DIR}/offheap-config-version.cmake
        DESTINATION ${config_dir})

# From lib/pkgconfig it is two folders up, from lib/x86_64-linux-gnu/pkgconfig three.
file(RELATIVE_PATH pc_to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(${CMAKE_CURRENT_LIST_DIR}/offheap.pc.in ${CMAKE_BINARY_DIR}/offheap.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/offheap.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
