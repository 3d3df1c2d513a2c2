// Streams that remember, for tests of commands.
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "cli/run.hpp"

namespace satchel::cli {

class CapturedStreams : public Streams {
  public:
    Result<void> out(std::string_view bytes) override {
        out_text += bytes;
        return {};
    }
    void err(std::string_view bytes) override { err_text += bytes; }
    bool cancelled() override { return stop; }
    std::string out_text, err_text;
    std::atomic<bool> stop = false;  // by another thread than the command's
};

struct Ran {
    int code = 0;
    std::string out, err;
};

inline Ran run_in(const std::string& cwd, std::vector<std::string> arguments, std::string input = {}) {
    Invocation invocation;
    invocation.arguments = std::move(arguments);
    invocation.cwd = cwd;
    if (!input.empty()) invocation.input = std::move(input);
    CapturedStreams streams;
    const int code = run(invocation, streams);
    return {code, streams.out_text, streams.err_text};
}

}  // namespace satchel::cli
