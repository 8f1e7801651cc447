#include "broker/custodian/program.h"

int main(int argc, char** argv) { return schakel::custodian::RunProgram(argc, argv); }
