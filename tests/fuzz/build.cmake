# Run by CTest (cmake -P) with SOURCE, the source tree, and BUILD, a folder: builds the fuzz targets
# there, as the preset says but without optimisation: in the tests each runs for seconds, and is
# sooner built than it could make up for.
function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${SOURCE} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
run(${CMAKE_COMMAND} --preset fuzz -B ${BUILD} "-DCMAKE_CXX_FLAGS=-O0 -gline-tables-only")
run(${CMAKE_COMMAND} --build ${BUILD} --target fuzz_targets)
