// schakel, the command line.
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "broker/crypto/init.h"
#include "broker/crypto/secret.h"
#include "clients/cli/program.h"

namespace {

// What COLUMNS says of a file or a pipe; 0 when it says nothing.
int ColumnsOf(const char* text) {
  const long columns = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return columns > 0 && columns <= 10'000 ? static_cast<int>(columns) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything else: it will hold BSNs and private keys.
  if (const auto locked = schakel::crypto::LockDownProcess(); !locked.ok()) {
    std::fprintf(stderr, "schakel: %s\n", locked.error().message.c_str());
    return static_cast<int>(schakel::cli::ExitCode::kInternal);
  }
  schakel::crypto::InitCrypto();
  // Tables measure text in the locale's characters; names are UTF-8 whatever the locale is.
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");

  schakel::cli::Io io{std::cout, std::cerr, schakel::sdk::SystemEnvironment(), STDIN_FILENO};
  io.colour = isatty(STDOUT_FILENO) == 1;
  io.columns = ColumnsOf(std::getenv("COLUMNS"));
  if (io.colour) {
    winsize size{};
    io.columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  }
  io.progress = isatty(STDERR_FILENO) == 1;
  return static_cast<int>(schakel::cli::RunCli({argv + 1, argv + argc}, io));
}
