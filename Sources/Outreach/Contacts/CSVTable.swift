/// A whole table read from the bytes of a CSV file: for files that are small.
package struct CSVTable: Sendable {
    package let header: [String]
    package let rows: [CSVReader.Row]

    /// Reads any encoding that `SheetDecoder` finds, with the delimiter that `CSVReader` finds.
    ///
    /// - Throws: the first fault: no header, an open quote, a zero byte, bytes that are in no known encoding, a limit reached.
    package init(parsing bytes: [UInt8], limits: CSVReader.Limits = CSVReader.Limits()) throws(CSVFault) {
        var evidence = SheetEvidence()
        evidence.add(bytes[...])
        var decoder = SheetDecoder(otherwise: evidence.encoding)
        var reader = CSVReader(limits: limits)
        let text = decoder.decode(bytes[...]) + decoder.finish()
        let rows = try reader.read(text[...]) + reader.finish()
        if let damaged = rows.first(where: \.isDamaged) {
            throw CSVFault(line: damaged.line, message: "bytes that are not UTF-8; save the file as UTF-8")
        }
        guard let first = rows.first else { throw CSVFault(line: 1, message: "the file is empty; the first line must name the columns") }
        header = first.cells
        self.rows = Array(rows.dropFirst())
    }
}
