// How this process deals with the memory it no longer needs.
#pragma once

namespace fx {

// Keeps freed blocks of any size for the next use instead of giving them back to the system at
// once. For processes that move large blocks all the time: the first touch of a page the system
// gives costs more than copying it, a third of the time of a server that receives. Once, early in
// main.
void KeepFreedMemory();

// Before a long wait: gives back what is freed at this moment, and the pages of program and
// libraries, most of which only the start has used. They stay in the page cache while there is
// room, which makes them cheap to reclaim for others and quick to come back when they are needed.
void ReturnIdleMemory();

}  // namespace fx
