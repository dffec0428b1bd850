/// `[classify]`: how people's words are read.
package struct ClassifySettings: ConfSection, Equatable {
    /// Nil: the model that the binary carries.
    package var model: String?

    init(name: String) {}

    static let fields: [Field<ClassifySettings>] = [
        Field(
            "model", \.model, .file,
            "A tone model that 'postrider classify train' wrote from labels of your own. Unset: the one that the binary carries.")
    ]
}
