"""Reading files of every kind: the right rows, text and CRS come out, or one clear error does.

Files are written by other programs' libraries (GDAL, openpyxl, pandas), or byte by byte where those are too tidy.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from intake_files import buildings, by_code, communities, square, write_shapefile, zipped

from geo.errors import CRSError, GeoError, LayerError
from geo.layers import Source, inspect_file, list_layers, parse_source, read_layer
from geo.layers.parquet import shallow_wkb
from geo.layers.text import cell_encoding, decode, decode_cell


def read(path: Path, layer: str | None = None, role: str = "buildings"):
    return read_layer(Source(role, path, layer))


def refused(path: Path, code: str, layer: str | None = None) -> GeoError:
    with pytest.raises(GeoError) as caught:
        read(path, layer)
    assert caught.value.code == code
    assert path.stem in caught.value.zh
    assert path.stem in caught.value.en
    return caught.value


def chinese() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"小区名称": ["阳光花园", "幸福里"], "户数": [120, 88]},
        geometry=[square(0, 0), square(20, 0)],
        crs=4549,
    )


# -- sources -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "layer"),
    [
        ("buildings=a.gpkg", "a.gpkg", None),
        ("buildings=a.gpkg:blocks", "a.gpkg", "blocks"),
        ("buildings=C:\\data\\a.gpkg", "C:\\data\\a.gpkg", None),
        ("buildings=C:\\data\\a.gpkg:楼栋", "C:\\data\\a.gpkg", "楼栋"),
        ("buildings=/d/a=b.xlsx:表 1", "/d/a=b.xlsx", "表 1"),
        ("buildings=x.gpkg:a:b", "x.gpkg", "a:b"),
    ],
)
def test_parse_source(text, path, layer):
    assert parse_source(text) == Source("buildings", Path(path), layer)


def test_a_path_that_holds_a_colon(tmp_path):
    path = tmp_path / "12:30.csv"
    path.write_text("x")
    assert parse_source(f"stations={path}").path == path
    assert parse_source(f"stations={path}:layer") == Source("stations", path, "layer")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("castles=a.gpkg", "role-unknown"),
        ("a.gpkg", "role-unknown"),
        ("buildings=", "source-malformed"),
        ("buildings", "source-malformed"),
        ("buildings=https://example.org/a.gpkg", "not-a-local-file"),
        ("buildings=/vsicurl/http://example.org/a.gpkg", "not-a-local-file"),
    ],
)
def test_malformed_sources(text, code):
    with pytest.raises(LayerError) as caught:
        parse_source(text)
    assert caught.value.code == code
    if code == "role-unknown":
        assert "old_grids" in caught.value.en


def test_missing_file_and_unknown_kind(tmp_path):
    refused(tmp_path / "nowhere.gpkg", "file-missing")
    for name in ("plan.dwg", "table.xls", "notes.docx"):
        (tmp_path / name).write_bytes(b"x")
        error = refused(tmp_path / name, "format-unknown")
        assert ".gpkg" in error.en


# -- GeoPackage --------------------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path) -> Path:
    path = tmp_path / "city.gpkg"
    buildings().to_file(path, layer="buildings")
    communities().to_file(path, layer="社区")
    return path


def test_geopackage_layers(package):
    raw = read(package, "社区")
    assert (raw.layer, len(raw.frame), raw.crs.to_epsg()) == ("社区", 2, 4549)
    assert list(raw.frame.columns) == ["社区代码", "社区名称"]
    assert raw.rows.tolist() == [1, 2]


def test_the_layer_named_like_the_role_is_taken(package):
    assert read(package).layer == "buildings"


def test_layers_must_be_named_where_it_is_open(package):
    with pytest.raises(LayerError) as caught:
        read(package, role="roads")
    assert caught.value.code == "layer-not-named"
    assert "社区" in caught.value.zh


def test_missing_layer_lists_the_others(package):
    error = refused(package, "layer-missing", "nope")
    assert error.where["layers"] == ["buildings", "社区"]


def test_attribute_table_in_a_geopackage(package):
    import pyogrio

    table = pd.DataFrame({"building_id": ["b1"], "households": [3]})
    pyogrio.write_dataframe(table, package, layer="homes")
    raw = read(package, "homes")
    assert raw.geometry is None
    assert raw.frame["households"].tolist() == [3]


def test_empty_layer(tmp_path):
    path = tmp_path / "empty.gpkg"
    buildings().iloc[:0].to_file(path, layer="buildings")
    refused(path, "layer-empty")


@pytest.mark.parametrize("content", [b"", b"<OGRVRTDataSource/>", b"SQLite format 3\x00" + b"\x00" * 200])
def test_files_that_are_no_geopackage(tmp_path, content):
    path = tmp_path / "fake.gpkg"
    path.write_bytes(content)
    refused(path, "file-unreadable")


def test_truncated_geopackage(package):
    data = package.read_bytes()
    package.write_bytes(data[: len(data) // 3])
    refused(package, "file-unreadable", "buildings")


@pytest.mark.parametrize(
    "statement",
    ["CREATE VIEW spy AS SELECT * FROM buildings", "CREATE VIRTUAL TABLE spy USING fts5(text)"],
)
def test_views_and_virtual_tables_are_not_opened(package, statement):
    with sqlite3.connect(package) as db:
        db.execute(statement)
    db.close()
    error = refused(package, "file-unreadable", "buildings")
    assert "spy" in error.en


# -- GeoJSON -----------------------------------------------------------------------------------------------------


def feature(geometry: dict | None, **properties: object) -> dict:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def write_json(path: Path, features: list[dict], **members: object) -> Path:
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features, **members}), encoding="utf-8"
    )
    return path


POINT = {"type": "Point", "coordinates": [121.5, 31.2]}


def test_geojson_is_wgs84(tmp_path):
    path = write_json(
        tmp_path / "a.geojson", [feature(POINT, 户数=3, tags={"a": 1}), feature(None, 户数=None)]
    )
    raw = read(path)
    assert raw.crs.to_epsg() == 4326
    assert raw.geometry[0] == shapely.Point(121.5, 31.2)
    assert raw.geometry[1] is None
    assert raw.frame["tags"][0] == '{"a": 1}'


def test_geojson_with_a_named_crs(tmp_path):
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    path = write_json(tmp_path / "a.json", [feature({"type": "Point", "coordinates": [5e5, 3e6]})], crs=crs)
    assert read(path).crs.to_epsg() == 4549


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "link", "properties": {"href": "http://example.org/crs"}},
        {"type": "url", "properties": {"url": "/etc/passwd"}},
        "EPSG:4326",
    ],
)
def test_geojson_links_are_not_followed(tmp_path, crs):
    refused(write_json(tmp_path / "a.geojson", [feature(POINT)], crs=crs), "crs-link")


def test_geojson_crs_must_be_known(tmp_path):
    crs = {"type": "name", "properties": {"name": "+proj=longlat +nadgrids=/etc/passwd"}}
    with pytest.raises(CRSError):
        read(write_json(tmp_path / "a.geojson", [feature(POINT)], crs=crs))


def test_broken_geometry_is_missing_geometry(tmp_path):
    shapes = [
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Point", "coordinates": "here"},
        {"type": "Banana"},
        POINT,
    ]
    raw = read(write_json(tmp_path / "a.geojson", [feature(shape) for shape in shapes]))
    assert [shape is None for shape in raw.geometry] == [True, True, True, False]


def test_nested_collections_are_cut(tmp_path):
    nested: dict = POINT
    for _ in range(50):
        nested = {"type": "GeometryCollection", "geometries": [nested, POINT]}
    raw = read(write_json(tmp_path / "a.geojson", [feature(nested)]))
    assert raw.geometry[0] == shapely.GeometryCollection([shapely.Point(121.5, 31.2)])


@pytest.mark.parametrize(
    "text", ['{"type":"FeatureCollection","features":[{"type":', "[]", '{"a":1}', "[" * 100_000]
)
def test_files_that_are_no_geojson(tmp_path, text):
    path = tmp_path / "a.geojson"
    path.write_text(text)
    refused(path, "file-unreadable")


def test_gbk_geojson(tmp_path):
    path = tmp_path / "a.geojson"
    text = json.dumps(
        {"type": "FeatureCollection", "features": [feature(POINT, 名称="幸福里")]}, ensure_ascii=False
    )
    path.write_bytes(text.encode("gb18030"))
    raw = read(path)
    assert raw.frame["名称"][0] == "幸福里"
    assert raw.encoding == "gb18030"


# -- Shapefile ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cpg", [True, False])
@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_chinese_shapefiles(tmp_path, encoding, cpg):
    path = write_shapefile(
        chinese().rename(columns={"小区名称": "小区名"}), tmp_path / "xq.shp", encoding=encoding, cpg=cpg
    )
    raw = read(path)
    assert raw.frame["小区名"].tolist() == ["阳光花园", "幸福里"]
    assert raw.frame["户数"].tolist() == [120, 88]
    assert raw.crs.to_epsg() == 4549


def test_a_wrong_cpg_is_not_believed(tmp_path):
    path = write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False)
    path.with_suffix(".cpg").write_text("UTF-8")
    assert read(path).frame["小区名称"].tolist() == ["阳光花园", "幸福里"]


def dbf(
    fields: list[tuple[bytes, str, int]], rows: list[list[bytes]], deleted: frozenset[int] = frozenset()
) -> bytes:
    size = 1 + sum(width for _, _, width in fields)
    head = struct.pack("<BBBBIHH20x", 3, 126, 1, 1, len(rows), 32 + 32 * len(fields) + 1, size)
    for name, kind, width in fields:
        head += struct.pack("<11sc4xBB14x", name, kind.encode(), width, 0)
    body = b"".join(
        (b"*" if i in deleted else b" ")
        + b"".join(cell.ljust(f[2]) for cell, f in zip(row, fields, strict=True))
        for i, row in enumerate(rows)
    )
    return head + b"\r" + body + b"\x1a"


def test_utf8_field_names_cut_inside_a_character(tmp_path):
    path = write_shapefile(chinese()[["geometry", "户数"]], tmp_path / "a.shp", encoding="utf-8", cpg=False)
    name = "常住人口数量".encode()[:10]
    long_text = "幸福里东区".encode()[:13]
    path.with_suffix(".dbf").write_bytes(
        dbf([(name, "N", 8), (b"mc", "C", 13)], [[b"12", long_text], [b"", b""]])
    )
    raw = read(path)
    assert list(raw.frame.columns) == ["常住人", "mc"]
    assert raw.frame["mc"][0] == "幸福里东"
    assert pd.isna(raw.frame["mc"][1])
    assert raw.frame["常住人"][0] == 12
    assert np.isnan(raw.frame["常住人"][1])


def test_deleted_rows_are_left_out_and_told(tmp_path):
    path = write_shapefile(chinese(), tmp_path / "a.shp", encoding="gbk", cpg=False)
    path.with_suffix(".dbf").write_bytes(dbf([(b"hs", "N", 5)], [[b"1"], [b"2"]], frozenset({0})))
    raw = read(path)
    assert raw.rows.tolist() == [2]
    assert raw.findings[0].code == "rows-deleted"


@pytest.mark.parametrize("folder", ["", "数据/", "a/b/c/"])
def test_zipped_shapefile_in_a_folder(tmp_path, folder):
    path = write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False)
    raw = read(zipped(path, folder=folder))
    assert raw.frame["小区名称"].tolist() == ["阳光花园", "幸福里"]
    assert raw.layer == "xq"


def test_zip_with_gbk_member_names(tmp_path):
    path = write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False)
    target = tmp_path / "gbk.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for part in (".shp", ".shx", ".dbf", ".prj"):
            info = zipfile.ZipInfo("XX" + part)
            archive.writestr(info, path.with_suffix(part).read_bytes())
    target.write_bytes(target.read_bytes().replace(b"XX.", "楼".encode("gbk") + b"."))
    assert list_layers(target)[0].name == "楼"


def test_zip_with_several_shapefiles_asks_which(tmp_path):
    write_shapefile(chinese(), tmp_path / "one.shp", encoding="gbk", cpg=False)
    write_shapefile(buildings(), tmp_path / "two.shp", encoding="gbk", cpg=False)
    target = tmp_path / "both.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for part in sorted(tmp_path.glob("*.[sdp]*")):
            archive.write(part, part.name)
    assert [info.name for info in list_layers(target)] == ["one", "two"]
    refused(target, "layer-not-named")
    assert len(read(target, "two").frame) == 6


def test_truncated_zip(tmp_path):
    path = zipped(write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refused(path, "zip-damaged")


def test_zip_with_damaged_content(tmp_path):
    path = zipped(write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("xq.shp").header_offset
    for i in range(start + 45, start + 60):
        data[i] ^= 0xFF
    path.write_bytes(bytes(data))
    refused(path, "zip-damaged")


def test_zip_without_shapefile(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(path, "shapefile-incomplete")


def test_encrypted_and_linked_members_are_refused(tmp_path):
    path = zipped(write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False))
    link = tmp_path / "link.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(link, "w") as new:
        for info in old.infolist():
            copy = zipfile.ZipInfo(info.filename)
            copy.external_attr = 0o120777 << 16 if info.filename.endswith(".dbf") else 0o100644 << 16
            new.writestr(copy, old.read(info))
    refused(link, "file-unreadable")


@pytest.mark.parametrize("part", [".shx", ".shp"])
def test_shapefile_parts_that_are_missing(tmp_path, part):
    path = write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False)
    target = tmp_path / "part.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for name in {".shp", ".shx", ".dbf", ".prj"} - {part}:
            archive.write(path.with_suffix(name), f"xq{name}")
    refused(target, "shapefile-incomplete")


@pytest.mark.parametrize("part", [".dbf", ".shp"])
def test_damaged_shapefile(tmp_path, part):
    path = write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False)
    path.with_suffix(part).write_bytes(b"garbage")
    refused(path, "file-unreadable")


def test_shapefile_without_projection_has_no_crs(tmp_path):
    path = write_shapefile(chinese(), tmp_path / "xq.shp", encoding="gbk", cpg=False)
    path.with_suffix(".prj").unlink()
    assert read(path).crs is None


# -- text --------------------------------------------------------------------------------------------------------


def test_decoding_is_strict_utf8_first():
    assert decode("小区".encode()) == ("小区", "utf-8")
    assert decode("小区".encode("gbk")) == ("小区", "gb18030")
    assert decode("小区".encode("utf-8-sig")) == ("小区", "utf-8-sig")
    assert decode("小区".encode("utf-16"))[0] == "小区"


def test_single_byte_encodings_only_when_declared():
    cell = [("é".encode("latin-1") + b"t" + "é".encode("latin-1"), 10)]
    assert cell_encoding(cell, "ISO-8859-1") == "iso8859-1"
    assert cell_encoding([("é".encode(), 10)], "ISO-8859-1") == "utf-8"
    assert cell_encoding(cell, "no such thing") == "gb18030"


def test_a_cut_character_is_dropped():
    assert decode_cell("幸福里".encode()[:8], "utf-8") == "幸福"


# -- tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_csv_encodings_and_separators(tmp_path, encoding, mark):
    path = tmp_path / "homes.csv"
    path.write_bytes(f"楼栋编号{mark}户数\nb1{mark}12\n\nb2{mark}7\n".encode(encoding))
    raw = read(path)
    assert raw.frame.to_dict("list") == {"楼栋编号": ["b1", "b2"], "户数": ["12", "7"]}
    assert raw.rows.tolist() == [1, 3]


def test_csv_with_title_total_and_trailing_blanks(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_text("某街道住户统计表,,\n小区,楼号,户数\n甲,1,10\n甲,2,20\n合计,,30\n,,\n", encoding="utf-8")
    raw = read(path)
    assert raw.frame["户数"].tolist() == ["10", "20"]
    assert by_code(raw.findings, "rows-above-header")
    (total,) = by_code(raw.findings, "rows-total")
    assert total.rows == (3,)


def test_binary_and_ragged_csv(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(b"PK\x03\x04\x00\x00\x00\x00")
    refused(path, "file-unreadable")
    path.write_text("")
    refused(path, "layer-empty")


def workbook(
    path: Path, rows: list[list[object]], *, merge: tuple[str, ...] = (), sheets: tuple[str, ...] = ()
) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for cells in merge:
        sheet.merge_cells(cells)
    for name in sheets:
        book.create_sheet(name).append(["x"])
    book.save(path)
    return path


def test_excel_as_people_make_it(tmp_path):
    rows = [
        ["某街道小区基础信息表", None, None, None],
        ["填报日期：2024 年", None, None, None],
        ["小区名称", "楼号", "户数（户）", "联系电话"],
        ["必填", "必填，如 3 幢", "填写整数", "选填"],
        ["阳光花园", "1", 36, "1380000"],
        ["阳光花园", "2", "２４户", None],
        ["小计", None, 60, None],
        [None, None, None, None],
        ["幸福里", "1", "1,200", None],
        ["合计：", None, 1260, None],
    ]
    raw = read(workbook(tmp_path / "t.xlsx", rows, merge=("A1:D1", "A2:D2")))
    assert raw.frame["小区名称"].tolist() == ["阳光花园", "阳光花园", "幸福里"]
    assert raw.frame["户数(户)"].tolist() == [36, "２４户", "1,200"]
    assert raw.rows.tolist() == [2, 3, 6]
    assert {f.code for f in raw.findings} == {"rows-above-header", "rows-comment", "rows-total"}


def test_excel_with_a_merged_header(tmp_path):
    rows = [
        ["小区名称", "户数", None, "地址"],
        [None, "总户数", "出租户", None],
        ["甲", 10, 2, "一路 1 号"],
    ]
    raw = read(workbook(tmp_path / "t.xlsx", rows, merge=("A1:A2", "B1:C1", "D1:D2")))
    assert list(raw.frame.columns) == ["小区名称", "总户数", "户数出租户", "地址"]
    assert len(raw.frame) == 1


def test_excel_without_any_known_name(tmp_path):
    raw = read(workbook(tmp_path / "t.xlsx", [["标题", None], ["甲列", "乙列"], ["a", 1]]))
    assert list(raw.frame.columns) == ["甲列", "乙列"]


def test_excel_sheets(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["户数"], [1]], sheets=("其他",))
    raw = read(path)
    assert raw.layer == "Sheet"
    assert by_code(raw.findings, "sheet-chosen")
    assert list_layers(path)[1].rows == 0
    refused(path, "layer-missing", "没有")


def test_excel_with_one_far_cell_ends_soon(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "户数"
    book.active["A2"] = 5
    book.active.cell(row=200_000, column=1, value=7)
    book.save(tmp_path / "far.xlsx")
    assert len(read(tmp_path / "far.xlsx").frame) == 1


def test_damaged_excel(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["户数"], [1]])
    path.write_bytes(path.read_bytes()[:500])
    refused(path, "zip-damaged")
    path.write_bytes(b"not a workbook")
    refused(path, "zip-damaged")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<!DOCTYPE x><x/>")
    refused(path, "file-unreadable")


# -- GeoParquet --------------------------------------------------------------------------------------------------


def test_geoparquet(tmp_path):
    path = tmp_path / "b.parquet"
    buildings().to_parquet(path)
    raw = read(path)
    assert raw.crs.to_epsg() == 4549
    assert raw.frame["户数"].sum() == 210
    assert raw.geometry[0].equals(buildings().geometry[0])


def test_plain_parquet_is_a_table(tmp_path):
    path = tmp_path / "b.parquet"
    pd.DataFrame({"户数": [1]}).to_parquet(path)
    assert read(path).geometry is None


def test_nested_parquet_columns_are_left_out(tmp_path):
    path = tmp_path / "b.parquet"
    buildings().assign(tags=[["a"]] * 6).to_parquet(path, write_covering_bbox=True)
    assert list(read(path).frame.columns) == ["楼栋编号", "户数"]


def test_damaged_parquet(tmp_path):
    path = tmp_path / "b.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")
    refused(path, "file-unreadable")


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(1, 2),
        shapely.Point(1, 2, 3),
        square(0, 0).buffer(5).difference(square(2, 2, 1)),
        shapely.MultiPolygon([square(0, 0), square(50, 0)]),
        shapely.GeometryCollection([shapely.MultiPolygon([square(0, 0)]), shapely.Point(0, 0)]),
        shapely.LineString([(0, 0), (1, 1)]),
    ],
)
def test_ordinary_wkb_is_shallow(shape):
    for flavor in ("iso", "extended"):
        assert shallow_wkb(shapely.to_wkb(shape, flavor=flavor))
        assert shallow_wkb(shapely.to_wkb(shape, flavor=flavor, byte_order=0))


def test_deep_and_cut_wkb():
    deep = struct.pack("<BII", 1, 7, 1) * 20_000 + shapely.to_wkb(shapely.Point(0, 0))
    assert not shallow_wkb(deep)
    assert not shallow_wkb(shapely.to_wkb(shapely.MultiPoint([(0, 0)]))[:12])
    assert not shallow_wkb(b"")


# -- damaged files of every kind ---------------------------------------------------------------------------------


def write_as(frame: gpd.GeoDataFrame, folder: Path, suffix: str) -> Path:
    path = folder / f"b{suffix}"
    if suffix == ".gpkg":
        frame.to_file(path, layer="b")
    elif suffix == ".geojson":
        frame.to_file(path, driver="GeoJSON")
    elif suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".csv":
        frame.drop(columns="geometry").to_csv(path, index=False)
    elif suffix == ".xlsx":
        frame.drop(columns="geometry").to_excel(path, index=False)
    elif suffix == ".shp":
        write_shapefile(frame, path, encoding="gbk", cpg=False)
    else:
        zipped(write_shapefile(frame, path.with_suffix(".shp"), encoding="gbk", cpg=False))
    return path


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".parquet", ".csv", ".xlsx", ".shp", ".zip"])
def test_damage_is_read_around_or_named(tmp_path, suffix):
    path = write_as(buildings(), tmp_path, suffix)
    whole = path.read_bytes()
    assert len(read(path).frame) == 6
    rng = np.random.default_rng(0)
    named = []
    for cut in (True, False) * 12:
        data = bytearray(whole)
        if cut:
            del data[rng.integers(len(data)) :]
        else:
            for at in rng.integers(len(data), size=8):
                data[at] = rng.integers(256)
        path.write_bytes(bytes(data))
        try:
            read(path)
        except GeoError as error:
            named.append(path.name in error.en or error.code == "crs-unknown")
    assert named
    assert all(named)


# -- inspection --------------------------------------------------------------------------------------------------


def test_inspection_tells_meanings_but_no_values(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_text("楼栋编号,单元,户数,户主姓名\nb1,1,12,张三\n", encoding="utf-8")
    told = inspect_file(path)
    text = json.dumps(told, ensure_ascii=False)
    assert "张三" not in text
    (layer,) = told["layers"]
    assert (told["format"], layer["likely_role"], layer["rows"]) == ("CSV", "households", 1)
    columns = {c["name"]: c for c in layer["columns"]}
    assert columns["户主姓名"]["personal"]
    assert columns["户数"]["meaning"]["households"] == "households"
    assert columns["单元"]["meaning"]["households"] == "unit_door"


def test_inspection_guesses_roles(package):
    roles = {layer["name"]: layer["likely_role"] for layer in inspect_file(package)["layers"]}
    assert roles == {"buildings": "buildings", "社区": "communities"}


@pytest.mark.parametrize(
    ("file", "roles"),
    [
        ("ang_mo_kio.gpkg", {"blocks": "buildings", "subzones": "communities", "road_sections": "roads"}),
        (
            "cambridge.gpkg",
            {
                "parcels_units": "buildings",
                "neighborhoods": "communities",
                "streets": "roads",
                "water": "water",
            },
        ),
    ],
)
def test_inspection_of_real_files(real_layer, file, roles):
    found = {layer["name"]: layer["likely_role"] for layer in inspect_file(real_layer(file))["layers"]}
    assert found["service_points"] == "stations"
    assert roles.items() <= found.items()
