// How an operator's command reaches the broker that runs: a Unix socket in the data folder.
//
// Not a signal: whoever asks names a folder, waits, and is told what became of it. Not the
// listener: there is no role for the machine room among the organisations, and no command may come
// over the network. The socket's mode is 0600 in a folder of mode 0700, and the other side's user
// is looked up besides: the broker's own and root may ask.
//
// One request and one answer, each a line of text; requests are handled one after the other.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "broker/base/result.h"
#include "broker/store/file_io.h"

namespace schakel::rpc {

class ControlSocket {
 public:
  // Given the request, says the answer (both without line end). Called on the socket's own thread;
  // may take long.
  using Handler = std::function<std::string(const std::string& request)>;

  // Listens at <folder>/control. REQUIRES: this process holds the store's lock, so that a socket
  // that is there was left by one that died. STORE_IO with the path.
  static Result<std::unique_ptr<ControlSocket>> Listen(const std::filesystem::path& folder,
                                                       Handler handler);
  // Waits for the request that is being handled; removes the socket.
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  ControlSocket(std::filesystem::path path, Handler handler)
      : path_(std::move(path)), handler_(std::move(handler)) {}
  void Run();
  void Serve(const store::UniqueFd& peer);

  const std::filesystem::path path_;
  const Handler handler_;
  store::UniqueFd listener_;
  store::UniqueFd stop_;  // an eventfd
  std::thread thread_;
};

// Asks the broker that runs on this data folder, and waits for its answer however long that takes.
// CONTROL_NOBODY when none runs or it ends before it answered; CONTROL_FORBIDDEN when this user may
// not ask.
Result<std::string> AskRunningBroker(const std::filesystem::path& folder,
                                     const std::string& request);

}  // namespace schakel::rpc
