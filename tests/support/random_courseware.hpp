// Folders of courseware drawn by RapidCheck: small, and full of the names that folders go wrong on.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "engine/env/disk.hpp"
#include "tests/support/county.hpp"

namespace satchel::support {

// A name: Chinese, NFC and NFD of one word, pairs that differ in case only, spaces, long ones.
rc::Gen<std::string> gen_name();
// Contents: empty, text, bytes that do not compress, repeats.
rc::Gen<std::string> gen_content();
// Files below a few course folders; no path is both file and folder.
rc::Gen<Files> gen_courseware();

// Changes a few files, adds, removes or renames some. Never leaves nothing.
Files edit_at_random(const Files& files);

// Everything about a folder that a checkout keeps: "path kind mode mtime content's hash".
std::vector<std::string> listing_of(env::Disk& disk, const std::string& folder);
// Gives every file and folder below `folder` a mode and a time of its own.
void set_attributes_at_random(env::Disk& disk, const std::string& folder);

}  // namespace satchel::support
