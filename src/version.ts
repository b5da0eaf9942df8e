/** The version of this package. A test compares it with package.json and native/Cargo.toml. */
export const version: string = '0.1.0';
