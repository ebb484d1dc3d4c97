// A table that a browser saves by itself begins with the mark by which Excel knows UTF-8. Streamlit writes one, and loses it
// where it has no way but an address of the bytes.
const MARK = "\ufeff";

/** @param {typeof URL} addresses */
export function markTables(addresses) {
  const { createObjectURL } = addresses;
  addresses.createObjectURL = (object) => {
    const table = object instanceof Blob && object.type.startsWith("text/csv");
    return createObjectURL.call(addresses, table ? new Blob([MARK, object], { type: object.type }) : object);
  };
}
