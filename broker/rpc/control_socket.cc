#include "broker/rpc/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace schakel::rpc {
namespace {

namespace fs = std::filesystem;
using store::UniqueFd;

constexpr const char* kName = "control";
// LIMIT: a command and a path of the system's longest.
constexpr size_t kLineBytesMax = 8192;
// LIMIT: a peer that says nothing does not keep the next one waiting.
constexpr timeval kPatience{5, 0};

// A socket's path has 107 bytes at most; this way the folder's may be longer.
Result<sockaddr_un> AddressIn(const UniqueFd& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + kName;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

UniqueFd NewSocket() { return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

Status WriteLine(const UniqueFd& fd, std::string line, const fs::path& path) {
  line += '\n';
  size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = ::send(fd.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return store::IoError("cannot write to", path, errno);
    sent += static_cast<size_t>(n);
  }
  return {};
}

// Up to the line end; empty when the other side ended before it, took too long or said too much.
std::string ReadLine(const UniqueFd& fd) {
  std::string line;
  std::array<char, 1024> piece{};
  while (line.size() <= kLineBytesMax) {
    const ssize_t n = ::read(fd.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    line.append(piece.data(), static_cast<size_t>(n));
    if (line.ends_with('\n')) {
      line.pop_back();
      return line;
    }
  }
  return {};
}

bool MayAsk(const UniqueFd& peer) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  return who.uid == 0 || who.uid == ::geteuid();
}

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::Listen(const fs::path& folder,
                                                             Handler handler) {
  std::unique_ptr<ControlSocket> self(new ControlSocket(folder / kName, std::move(handler)));
  SCHAKEL_ASSIGN(const UniqueFd at, store::OpenFile(folder, O_RDONLY | O_DIRECTORY));
  std::error_code ignored;
  fs::remove(self->path_, ignored);
  SCHAKEL_ASSIGN(const sockaddr_un address, AddressIn(at));
  self->listener_ = NewSocket();
  // The mode of the socket's file is that of the socket when it is bound: there is no moment with
  // another one.
  const bool listens = self->listener_.valid() && ::fchmod(self->listener_.get(), 0600) == 0 &&
                       ::bind(self->listener_.get(), reinterpret_cast<const sockaddr*>(&address),
                              sizeof address) == 0 &&
                       ::listen(self->listener_.get(), 4) == 0;
  if (!listens) return store::IoError("cannot listen at", self->path_, errno);
  self->stop_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (!self->stop_.valid()) return store::IoError("cannot listen at", self->path_, errno);
  self->thread_ = std::thread([raw = self.get()] { raw->Run(); });
  return self;
}

ControlSocket::~ControlSocket() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  while (::write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void ControlSocket::Run() {
  while (true) {
    std::array<pollfd, 2> wait = {pollfd{listener_.get(), POLLIN, 0},
                                  pollfd{stop_.get(), POLLIN, 0}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return;
    if (wait[1].revents != 0) return;
    if (wait[0].revents == 0) continue;
    const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (peer.valid()) {
      if (MayAsk(peer)) Serve(peer);
    } else {
      // Out of file descriptors, most likely: the next try has to wait, not to spin.
      ::poll(&wait[1], 1, 100);
    }
  }
}

void ControlSocket::Serve(const UniqueFd& peer) {
  ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(peer.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  const std::string request = ReadLine(peer);
  if (request.empty()) return;
  // Whoever asked may be gone by now; what was done is done and logged.
  static_cast<void>(WriteLine(peer, handler_(request), path_).ok());
}

Result<std::string> AskRunningBroker(const fs::path& folder, const std::string& request) {
  const fs::path path = folder / kName;
  const UniqueFd at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd peer = NewSocket();
  int failed = at.valid() && peer.valid() ? 0 : errno;
  if (failed == 0) {
    SCHAKEL_ASSIGN(const sockaddr_un address, AddressIn(at));
    if (::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      failed = errno;
    }
  }
  if (failed == EACCES || failed == EPERM) {
    return MakeError(ErrorCode::kPermissionDenied, "CONTROL_FORBIDDEN",
                     "only the broker's own user and root may ask it; see " + path.string());
  }
  if (failed != 0) {
    return MakeError(ErrorCode::kUnavailable, "CONTROL_NOBODY",
                     "no broker runs on " + folder.string() + " (" + std::strerror(failed) + ")");
  }
  SCHAKEL_TRY(WriteLine(peer, request, path));
  const std::string answer = ReadLine(peer);
  if (answer.empty()) {
    return MakeError(ErrorCode::kUnavailable, "CONTROL_NOBODY",
                     "the broker ended, or refused this user, before it answered");
  }
  return answer;
}

}  // namespace schakel::rpc
