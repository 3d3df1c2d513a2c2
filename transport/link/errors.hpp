// How a contact ends, in words for people.
#pragma once

#include <string>

#include "engine/base/result.hpp"

namespace satchel::link {

[[nodiscard]] Error bad_address(std::string text);                            // kUsage
[[nodiscard]] Error unknown_host(std::string address, std::string detail);    // kUnreachable
[[nodiscard]] Error cannot_connect(std::string address, std::string detail);  // kUnreachable
[[nodiscard]] Error cannot_listen(std::string address, std::string detail);   // kIo
[[nodiscard]] Error silent(std::string address);                              // kUnreachable
[[nodiscard]] Error left_early(std::string address);                          // kUnreachable
[[nodiscard]] Error closed_in_greeting(std::string address);                  // kRefused
[[nodiscard]] Error leads_back(std::string about);                            // kUsage
[[nodiscard]] Error replaced(std::string address);                            // kUnreachable
[[nodiscard]] Error stopping();                                               // kCancelled

}  // namespace satchel::link
