/// Content that costs more to send than to look for: the ledger finds it by its size alone.
public enum LargeContent {
    /// From so many bytes on: 8 MiB, which takes about a second on a line of 100 Mbit/s, and 5 ms to hash.
    public static let bytes: Int64 = 8 << 20
}
