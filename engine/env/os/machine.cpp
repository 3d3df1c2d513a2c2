#include "engine/env/os/machine.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace satchel::env::os {

namespace {

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    while (!line.empty() && line.back() == '\0') line.pop_back();
    return line;
}

// Devices of hardware only: bridges and tunnels get other addresses at each start.
std::string smallest_network_address() {
    std::string smallest;
    std::error_code error;
    for (const auto& device : std::filesystem::directory_iterator("/sys/class/net", error)) {
        if (!std::filesystem::exists(device.path() / "device", error)) continue;
        const std::string address = first_line(device.path() / "address");
        if (!address.empty() && (smallest.empty() || address < smallest)) smallest = address;
    }
    return smallest;
}

}  // namespace

Digest machine_digest() {
    const std::string serial = first_line("/sys/firmware/devicetree/base/serial-number");
    if (!serial.empty()) return hash_of(bytes_of("serial " + serial));
    const std::string address = smallest_network_address();
    return address.empty() ? Digest{} : hash_of(bytes_of("address " + address));
}

}  // namespace satchel::env::os
