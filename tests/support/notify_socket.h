// The service manager's end of sd_notify(3): a datagram socket that a test reads.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace schakel::testing {

// Stops the process when it can't listen. Not thread-safe.
class NotifySocket {
 public:
  explicit NotifySocket(std::filesystem::path path);  // for $NOTIFY_SOCKET
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // The next datagram; nullopt when none came in time.
  std::optional<std::string> Next(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // The first of those that come that holds `part`; what came before it is dropped.
  std::optional<std::string> Await(std::string_view part,
                                   std::chrono::milliseconds timeout = std::chrono::seconds(20));

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace schakel::testing
