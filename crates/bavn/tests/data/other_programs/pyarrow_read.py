"""Rows, the sum of their seconds and of their patients; or how many originals are audit events."""
import sys, pyarrow.parquet as pq, pyarrow.parquet.encryption as pe

path, key = sys.argv[1], sys.argv[2]
key = bytes.fromhex(key)
table = pq.read_table(path, decryption_properties=pe.create_decryption_properties(footer_key=key))
if "at" in table.column_names:
    seconds = sum(at.value // 1_000_000 for at in table["at"])
    print(table.num_rows, seconds, sum(sum(each) for each in table["patient"].to_pylist()))
    print(table["kind"][0], table["outcome"][0])
else:
    print(sum(b"AuditEvent" in original for original in table["original"].to_pylist()))
