#include "broker/rpc/program.h"

int main(int argc, char** argv) { return schakel::rpc::RunProgram(argc, argv); }
