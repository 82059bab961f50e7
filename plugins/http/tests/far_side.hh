// The servers that webhook tests talk to, as processes of their own: ended by pid with the object that started them.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

class Process {
 public:
  explicit Process(std::vector<std::string> words) {
    int out[2];
    if (::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    out_ = out[0];
  }
  ~Process() {
    if (pid_ > 0) ::kill(pid_, SIGTERM);
    wait();
    ::close(out_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// The next line of its standard output; throws when none comes in ten seconds.
  std::string line() {
    while (text_.find('\n') == std::string::npos) {
      pollfd ready{out_, POLLIN, 0};
      char room[4096];
      const ssize_t got = ::poll(&ready, 1, 10'000) == 1 ? ::read(out_, room, sizeof room) : 0;
      if (got <= 0) throw std::runtime_error("the far side says nothing");
      text_.append(room, static_cast<std::size_t>(got));
    }
    const std::string first = text_.substr(0, text_.find('\n'));
    text_.erase(0, first.size() + 1);
    return first;
  }
  int wait() {
    int status = 0;
    if (pid_ > 0) ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  void end() {
    ::kill(pid_, SIGTERM);
    wait();
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string text_;
};

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-http-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

struct Request {
  explicit Request(const nlohmann::json& line)
      : method(line.at("method")), path(line.at("path")), body(line.at("body")), peer(line.at("peer")) {
    for (const auto& one : line.at("headers")) headers.emplace_back(one.at(0), one.at(1));
  }
  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& [key, value] : headers) {
      if (::strcasecmp(key.c_str(), name.c_str()) == 0) return value;
    }
    return "(absent)";
  }
  std::string method, path, body;
  int peer;
  std::vector<std::pair<std::string, std::string>> headers;
};

class Receiver {
 public:
  explicit Receiver(const std::string& certificate = "", const std::string& key = "")
      : process_(words(certificate, key)), port_(std::stoi(process_.line())) {}
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  Request request() { return Request(nlohmann::json::parse(process_.line())); }
  void end() { process_.end(); }

 private:
  static std::vector<std::string> words(const std::string& certificate, const std::string& key) {
    std::vector<std::string> made{"/usr/bin/python3",
                                  std::string(SLUICE_SOURCE_DIR) + "/plugins/http/tests/receiver.py"};
    if (!certificate.empty()) made.insert(made.end(), {"--tls", certificate, key});
    return made;
  }
  Process process_;
  int port_;
};

inline void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

/// An authority of our own and certificates from it, by the openssl command line.
class Certificates {
 public:
  Certificates() {
    shell("cd " + folder_.path() +
          " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
          "-subj '/CN=test authority' -keyout ca.key -out ca.pem 2>/dev/null && "
          "cp ca.pem ca_of_others.pem && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
          "-subj '/CN=another authority' -keyout other.key -out other.pem 2>/dev/null");
    issue("good", "IP:127.0.0.1,DNS:localhost", "-days 30");
    issue("other_name", "DNS:elsewhere.example", "-days 30");
    issue("expired", "IP:127.0.0.1", "-startdate 20200101000000Z -enddate 20200201000000Z");
  }
  [[nodiscard]] std::string operator[](const std::string& name) const { return folder_ / name; }

 private:
  void issue(const std::string& name, const std::string& names, const std::string& validity) {
    std::ofstream(folder_ / "ca.cnf")
        << "[ca]\ndefault_ca=c\n[c]\ndir=" << folder_.path() << "\ndatabase=" << folder_ / "index.txt"
        << "\nnew_certs_dir=" << folder_.path() << "\nserial=" << folder_ / "serial"
        << "\ndefault_md=sha256\npolicy=p\nx509_extensions=e\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\n"
        << "subjectAltName=" << names << "\n";
    if (!std::filesystem::exists(folder_ / "index.txt")) {
      std::ofstream(folder_ / "index.txt").flush();
      std::ofstream(folder_ / "serial") << "1000\n";
    }
    shell("cd " + folder_.path() +
          " && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " +
          name + ".key -out " + name +
          ".csr 2>/dev/null && openssl ca -batch -config ca.cnf -cert "
          "ca.pem -keyfile ca.key -in " +
          name + ".csr -out " + name + ".pem -notext " + validity + " 2>/dev/null");
  }
  Folder folder_;
};

}  // namespace test
