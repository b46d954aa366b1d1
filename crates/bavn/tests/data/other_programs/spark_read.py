"""As pyarrow_read.py, of both files of a segment; then what a wrong key and none come to."""
import os, subprocess, sys, pyspark
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

java, source, rows, evidence, key = sys.argv[1:]
jars = os.path.join(os.path.dirname(pyspark.__file__), "jars", "*")
scala = [java, "-cp", jars, "scala.tools.nsc.Main", "-usejavacp"]
subprocess.run([*scala, "-d", "segment-key.jar", source], check=True)
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars", "segment-key.jar")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)


def read(path, **options):
    factory = {"parquet.crypto.factory.class": "bavn.SegmentKey"}
    return spark.read.options(**factory, **options).parquet(path)


def fails(path, **options):
    try:
        read(path, **options).count()
    except (Py4JError, PySparkException):
        return True
    return False


secret = {"bavn.secret": key}
look_ups = read(rows, **secret)
patients = "aggregate(patient, 0L, (sum, one) -> sum + one)"
print(*look_ups.selectExpr("count(*)", "sum(unix_seconds(at))", f"sum({patients})").first())
print(*look_ups.select("kind", "outcome").first())
print(read(evidence, **secret).where("contains(string(original), 'AuditEvent')").count())
print(fails(rows, **{"bavn.secret": "11" * 32}), fails(rows))
